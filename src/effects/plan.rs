//! Sends the steps of an authorised plan.

use std::future::Future;
use std::time::Duration;

use super::{OnProgress, Progress};
use crate::audit::Authorized;
use crate::domain::outcome::Answer;
use crate::domain::prepared::{Prepared, WriteRequest};

/// Sends each step once with `send`, giving each `deadline`; stops at the first that is not accepted.
///
/// A send that outlives its deadline is dropped and counts as [`Answer::Lost`]: it may still have arrived.
pub async fn send_all<F, Fut>(
    act: Authorized<Prepared>,
    deadline: Duration,
    progress: OnProgress<'_>,
    send: F,
) -> Vec<Answer>
where
    F: Fn(WriteRequest) -> Fut,
    Fut: Future<Output = Answer> + Send,
{
    let prepared = act.into_inner();
    let mut answers = Vec::with_capacity(prepared.steps.len());
    for (step, plan) in prepared.steps.into_iter().enumerate() {
        progress(Progress::Sending { step });
        let answer = match tokio::time::timeout(deadline, send(plan.request)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Lost { why: format!("no answer within {} s", deadline.as_secs_f32()) },
        };
        progress(Progress::Answered { step, answer: answer.clone() });
        let accepted = matches!(answer, Answer::Accepted { .. });
        answers.push(answer);
        if !accepted {
            break;
        }
    }
    answers
}
