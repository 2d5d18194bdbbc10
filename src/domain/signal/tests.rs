use super::reading::{Freshness, USUAL_SCRAPE};
use super::text::{count, limit, percent};
use super::verdict::{verdict, wilson};
use super::*;

fn measured(errors: f64, total: f64) -> Reading {
    Reading::Measured(Counts { errors, total })
}

fn thin(errors: f64, total: f64) -> Reading {
    Reading::Thin(Counts { errors, total })
}

fn raw(errors: Value, total: Value) -> Raw {
    Raw { errors_long: errors, total_long: total, errors_short: errors, total_short: total, ..Raw::default() }
}

const FRESH: Freshness = Freshness::Now { age: Some(3.0), scrape: 15.0 };

fn long(errors: Value, total: Value, fresh: Freshness) -> Reading {
    raw(errors, total).readings(&Rules::default(), fresh).0
}

#[test]
fn every_way_in_which_a_number_can_be_missing_has_its_word() {
    use Value::{Absent, Many, One};
    let stale = Freshness::Now { age: Some(31.0), scrape: 15.0 };
    let ended = Freshness::Now { age: None, scrape: 15.0 };
    for (errors, total, fresh, word) in [
        (One(5.0), One(200.0), FRESH, "measured"),
        // The series of errors begins with the first error.
        (Absent, One(200.0), FRESH, "measured"),
        (One(0.0), One(100.0), FRESH, "measured"),
        (One(0.0), One(99.9), FRESH, "thin"),
        (One(0.0), One(0.2), FRESH, "thin"),
        (Absent, One(0.0), FRESH, "no requests"),
        (One(0.0), One(0.0), FRESH, "no requests"),
        (Absent, Absent, FRESH, "no data"),
        (Absent, Absent, ended, "no data"),
        (One(f64::NAN), One(200.0), FRESH, "not a number"),
        (One(1.0), One(f64::NAN), FRESH, "not a number"),
        (One(1.0), One(f64::INFINITY), FRESH, "not a number"),
        (One(5.0), One(200.0), stale, "stale"),
        (One(0.0), One(0.0), stale, "stale"),
        (One(5.0), One(200.0), ended, "stale"),
        // A window in the past does not age.
        (One(5.0), One(200.0), Freshness::Past, "measured"),
        (One(5.0), Many(2), FRESH, "wrong query"),
        (Many(3), One(200.0), FRESH, "wrong query"),
        (One(5.0), Absent, FRESH, "wrong query"),
        (One(-1.0), One(200.0), FRESH, "wrong query"),
        (One(300.0), One(200.0), FRESH, "wrong query"),
    ] {
        let reading = long(errors, total, fresh);
        assert_eq!(reading.word(), word, "{errors:?} of {total:?}, {fresh:?}");
        let cell = reading.cell();
        assert_eq!(cell.starts_with('–'), word != "measured", "{cell}: only what was measured is a number");
        assert!(!reading.sentence(&Rules::default()).is_empty());
    }
}

#[test]
fn stale_says_how_old_and_how_often_it_is_scraped() {
    let stale = Freshness::Now { age: Some(40.4), scrape: 15.0 };
    let reading = long(Value::One(5.0), Value::One(200.0), stale);
    assert_eq!(reading.cell(), "– stale 40s");
    let sentence = reading.sentence(&Rules::default());
    assert_eq!(sentence, "stale: newest sample 40s old, scraped every 15s; was 5 of 200");
}

#[test]
fn the_scrape_interval_is_as_the_samples_lie() {
    let rules = Rules::default();
    let raw =
        |newest: f64, samples: f64| Raw { newest: Value::One(newest), samples: Value::One(samples), ..Raw::default() };
    // 20 samples in five minutes, the newest just now.
    assert_eq!(raw(1000.0, 20.0).scrape(1000.0, &rules), Some(15.0));
    // The scrape died 150 s ago: the ten that are left still lie 15 s apart.
    assert_eq!(raw(850.0, 10.0).scrape(1000.0, &rules), Some(15.0));
    assert_eq!(raw(1000.0, 2.0).scrape(1000.0, &rules), Some(f64::from(USUAL_SCRAPE)), "never more than the usual");
    assert_eq!(raw(1000.0, 1.0).scrape(1000.0, &rules), None);
    assert_eq!(Raw::default().scrape(1000.0, &rules), None);
}

/// How many errors of n the lower bound needs to be over 5 %.
#[test]
fn wilson_needs_so_many_errors() {
    for (n, needs) in [(10, 3), (20, 4), (50, 7), (100, 11), (200, 18), (1000, 68)] {
        let lower = |x: i32| wilson(Counts { errors: f64::from(x), total: f64::from(n) }).map(|(lower, _)| lower);
        assert!(lower(needs).is_some_and(|l| l > 0.05), "{needs} of {n}");
        assert!(lower(needs - 1).is_some_and(|l| l <= 0.05), "{} of {n}", needs - 1);
    }
    assert_eq!(wilson(Counts { errors: 0.0, total: 0.0 }), None);
}

#[test]
fn only_numbers_that_bear_it_are_fine_and_only_certainty_convicts() {
    use Verdict::{Fine, NotEnoughData, Over, Suspect};
    for (long, short, expected) in [
        (measured(5.0, 1000.0), measured(1.0, 200.0), Fine),
        (measured(0.0, 1000.0), measured(0.0, 20.0), Fine),
        // Enough to be measured, not enough to be sure: of 100 without an error up to 6 % may fail.
        (measured(0.0, 100.0), measured(0.0, 20.0), NotEnoughData),
        (measured(40.0, 1000.0), measured(8.0, 200.0), NotEnoughData),
        (measured(5.0, 1000.0), thin(0.0, 3.0), NotEnoughData),
        (measured(5.0, 1000.0), Reading::NoTraffic, NotEnoughData),
        (measured(5.0, 1000.0), Reading::NoData, NotEnoughData),
        (measured(68.0, 1000.0), measured(14.0, 200.0), Over),
        (measured(67.0, 1000.0), measured(14.0, 200.0), Suspect),
        // It was over, and is no longer; or just begins to be.
        (measured(200.0, 1000.0), measured(1.0, 200.0), Suspect),
        (measured(10.0, 1000.0), measured(12.0, 200.0), Suspect),
        (measured(200.0, 1000.0), Reading::NoData, Suspect),
        // It was well until just now: the short window alone convicts, where it is surer than both need be.
        (measured(30.0, 1000.0), measured(25.0, 200.0), Over),
        (measured(20.0, 1000.0), measured(20.0, 200.0), Suspect),
        (Reading::NotANumber, measured(25.0, 200.0), Suspect),
        // Few errors convict nobody: 4 of 100 in both windows of another minimum.
        (thin(3.0, 30.0), thin(3.0, 10.0), NotEnoughData),
        (thin(9.0, 9.0), thin(9.0, 9.0), NotEnoughData),
        // More than half fail, and there are enough for the short window.
        (thin(15.0, 25.0), measured(13.0, 22.0), Over),
        (measured(80.0, 400.0), measured(60.0, 80.0), Over),
        (Reading::NoData, Reading::NoData, NotEnoughData),
        (Reading::NoTraffic, Reading::NoTraffic, NotEnoughData),
        (Reading::NotANumber, Reading::NotANumber, NotEnoughData),
        (
            Reading::Stale { age: None, scrape: 15, counts: Some(Counts { errors: 900.0, total: 1000.0 }) },
            Reading::NoData,
            NotEnoughData,
        ),
        (Reading::Unreachable { why: "x".into() }, Reading::Unreachable { why: "x".into() }, NotEnoughData),
        (Reading::WrongQuery { why: "x".into() }, Reading::WrongQuery { why: "x".into() }, NotEnoughData),
    ] {
        assert_eq!(verdict(&long, &short, &Rules::default()), expected, "{long:?} {short:?}");
    }
}

#[test]
fn the_short_window_needs_the_same_density_but_never_less_than_twenty() {
    let minimum = |minimum| Rules { minimum, ..Rules::default() }.minimum_short();
    assert_eq!((minimum(100), minimum(1000), minimum(5)), (20, 200, 5));
}

#[test]
fn numbers_read_as_people_write_them() {
    for (share, text) in
        [(0.0, "0.00 %"), (0.000_001, "<0.01 %"), (0.0042, "0.42 %"), (0.073_077, "7.31 %"), (1.0, "100 %")]
    {
        assert_eq!(percent(share), text);
    }
    for (number, text) in [
        (0.0, "0"),
        (0.2, "<1"),
        (7.0, "7"),
        (912.4, "912"),
        (12_480.0, "12,480"),
        (1_234_567.0, "1,234,567"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(count(number), text);
    }
    assert_eq!((limit(0.05), limit(0.005), limit(0.0125)), ("5 %".to_owned(), "0.5 %".to_owned(), "1.25 %".to_owned()));
    assert_eq!(measured(912.0, 12_480.0).sentence(&Rules::default()), "7.31 %, 912 of 12,480");
}

#[test]
fn a_sparkline_has_gaps_where_there_was_nothing() {
    let side = Side {
        role: Role::New,
        pod_hash: "a".into(),
        long: Reading::NoData,
        short: Reading::NoData,
        age: None,
        history: vec![Some(0.0), None, Some(0.05), Some(0.1)],
        last: None,
    };
    assert_eq!(side.sparkline(10, 0.05, false), "▁ ▄█");
    assert_eq!(side.sparkline(2, 0.05, true), "-#");
    let high = Side { history: vec![Some(0.5), Some(0.05)], ..side };
    assert_eq!(high.sparkline(10, 0.05, false), "█▁", "scaled to what is there");
}
