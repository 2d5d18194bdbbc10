use super::*;

mod blue_green;
mod canary;
mod opening;
mod others;

/// A world and its clock.
struct Lab {
    sim: Sim,
    second: i64,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

/// The value at a path of words and numbers.
fn pick<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |at, part| part.parse::<usize>().map_or(&at[part], |n| &at[n]))
}

impl Lab {
    fn named(name: &str) -> Self {
        Self { sim: Sim::new(&Scenario::named(name).expect("it comes along"), 1, at(0)), second: 0 }
    }

    /// One rollout `x/app` at version 1, and what else the text says.
    fn of(text: &str) -> Self {
        let head = "pod_ready = '1s'\nbroken_tags = ['broken']\n[[rollout]]\nnamespace = 'x'\nname = 'app'\nimage = 'i'\nversion = '1'\n";
        let scenario = Scenario::parse(&format!("{head}{text}")).expect("a scenario");
        Self { sim: Sim::new(&scenario, 1, at(0)), second: 0 }
    }

    fn now(&self) -> Timestamp {
        at(self.second)
    }

    fn wait(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.second += 1;
            self.sim.step(at(self.second));
        }
        self
    }

    fn does(&mut self, text: &str) -> &mut Self {
        self.does_to("x/app", text)
    }

    /// Does what an `[[event]]` would do.
    fn does_to(&mut self, target: &str, text: &str) -> &mut Self {
        let (what, more) = text.split_once(' ').unwrap_or((text, ""));
        let (ns, name) = target.split_once('/').expect("a target");
        let head = format!("[[rollout]]\nnamespace = '{ns}'\nname = '{name}'\nimage = 'i'\nversion = '1'\n");
        let event = format!("[[event]]\nat = '0s'\ntarget = '{target}'\ndo = '{what}'\n{more}\n");
        let mut plan = Scenario::parse(&format!("{head}{event}")).expect("an event");
        let event = plan.events.remove(0);
        self.sim.events.push(Planned { at: self.now(), event });
        self.sim.step(self.now());
        self
    }

    fn object(&self, kind: Kind, name: &str) -> Value {
        let found = self.sim.store.list(kind, None).find(|(key, _)| key.name == name);
        found.map(|(_, object)| Value::clone(object)).unwrap_or_default()
    }

    fn rollout(&self, name: &str) -> Value {
        self.object(Kind::Rollout, name)
    }

    fn status(&self, path: &str) -> Value {
        pick(&self.rollout("app")["status"], path).clone()
    }

    fn says(&self, name: &str) -> String {
        let status = &self.rollout(name)["status"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        format!("{} {}", text(&status["phase"]), text(&status["message"])).trim().to_owned()
    }

    /// The size of the ReplicaSet of a version, and how many of its pods are available.
    fn pods(&self, name: &str, version: &str) -> (i64, i64) {
        let rollout = self.rollout(name);
        let number = |v: &Value| v.as_i64().unwrap_or(0);
        let mut sets = self.sim.store.owned_by(&rollout, Kind::ReplicaSet);
        let found = sets.find(|(_, set)| crate::demo::rates::version(&set["spec"]["template"]) == version);
        found.map_or((-1, -1), |(_, set)| {
            (number(&set["spec"]["replicas"]), number(&set["status"]["availableReplicas"]))
        })
    }

    fn set_of(&self, name: &str, version: &str) -> Value {
        let rollout = self.rollout(name);
        let mut sets = self.sim.store.owned_by(&rollout, Kind::ReplicaSet);
        let found = sets.find(|(_, set)| crate::demo::rates::version(&set["spec"]["template"]) == version);
        found.map(|(_, set)| Value::clone(set)).unwrap_or_default()
    }

    fn hash_of(&self, name: &str, version: &str) -> String {
        let set = self.set_of(name, version);
        set["metadata"]["labels"]["rollouts-pod-template-hash"].as_str().unwrap_or_default().to_owned()
    }

    fn deadline_of(&self, name: &str, version: &str) -> Option<Timestamp> {
        self.set_of(name, version)["metadata"]["annotations"]["scale-down-deadline"].as_str()?.parse().ok()
    }

    /// The version that a Service selects.
    fn serves(&self, service: &str) -> String {
        let service = self.object(Kind::Service, service);
        let hash = service["spec"]["selector"]["rollouts-pod-template-hash"].as_str().unwrap_or_default().to_owned();
        let mut sets = self.sim.store.list(Kind::ReplicaSet, None);
        let found = sets.find(|(_, set)| set["metadata"]["labels"]["rollouts-pod-template-hash"] == hash.as_str());
        found.map(|(_, set)| crate::demo::rates::version(&set["spec"]["template"]).to_owned()).unwrap_or_default()
    }

    fn runs(&self) -> Vec<Value> {
        self.sim.store.list(Kind::AnalysisRun, None).map(|(_, run)| Value::clone(run)).collect()
    }

    /// The events on an object: reason and message.
    fn happened(&self, name: &str) -> Vec<String> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let all = self.sim.store.list(Kind::Event, None).filter(|(_, e)| e["involvedObject"]["name"] == name);
        all.map(|(_, e)| format!("{} {} {}", text(&e["type"]), text(&e["reason"]), text(&e["message"]))).collect()
    }

    #[track_caller]
    fn until(&mut self, what: &str, most: i64, holds: impl Fn(&Self) -> bool) -> &mut Self {
        for _ in 0..most {
            if holds(self) {
                return self;
            }
            self.wait(1);
        }
        panic!("{what} did not come in {most} s: {:#}", self.rollout("app")["status"]);
    }
}
