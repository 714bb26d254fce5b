//! Schedules against public test cases, and against each day asked in turn.
//!
//! `tests/schedules` has the rules and test cases of CDC's clinical decision support (CDSi 4.64 and 4.45, works of the US
//! government): a document for each course, and a table of birth dates, doses and outcomes.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::document::{AgeRange, Ages, ConflictRule, DoseRule, Interval, Origin, Previous, Series, Window};
use super::*;
use crate::domain::values::period::Period;

/// Cases whose earliest day differs, each with the reason.
const DIFFERENT: [(&str, &str); 2] = [
    ("2013-0208", "forecasts Recombivax in two doses, which the series of three doses precedes"),
    ("2013-0539", "forecasts mumps and rubella, for which the course of measles has no doses"),
];

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The document of a course.
fn document(course: &str) -> Schedule {
    let text = match course {
        "HEPA" => include_str!("../../../../tests/schedules/hepa.json"),
        "HEPB" => include_str!("../../../../tests/schedules/hepb.json"),
        "MENACWY" => include_str!("../../../../tests/schedules/menacwy.json"),
        "MENB" => include_str!("../../../../tests/schedules/menb.json"),
        "MMR" => include_str!("../../../../tests/schedules/mmr.json"),
        "ROTA" => include_str!("../../../../tests/schedules/rota.json"),
        "VAR" => include_str!("../../../../tests/schedules/var.json"),
        "ZOSTER" => include_str!("../../../../tests/schedules/zoster.json"),
        _ => panic!("no document of {course}"),
    };
    parse(&serde_json::from_str(text).unwrap(), &Known::default())
        .unwrap_or_else(|faults| panic!("{course}: {faults:?}"))
}

/// A dose of the table: day, CVX code, manufacturer, and whether it counts.
struct ExpectedDose<'a> {
    on: NaiveDate,
    cvx: &'a str,
    manufacturer: &'a str,
    counts: Option<bool>,
}

fn expected(text: &str) -> Vec<ExpectedDose<'_>> {
    let doses = text.split("; ").filter(|dose| !dose.is_empty()).map(|dose| {
        let [on, cvx, manufacturer, outcome] = dose.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let counts = match outcome {
            "counts" => Some(true),
            "not" => Some(false),
            // Of another course.
            _ => None,
        };
        ExpectedDose { on: date(on), cvx, manufacturer, counts }
    });
    let mut doses: Vec<_> = doses.collect();
    doses.sort_by_key(|dose| dose.on);
    doses
}

fn given(number: usize, on: NaiveDate, cvx: &str, manufacturer: &str, courses: &[&str]) -> GivenDose {
    GivenDose {
        id: Uuid::from_u128(number as u128 + 1),
        vaccine_id: Uuid::nil(),
        cvx: Some(cvx.to_owned()),
        manufacturer: manufacturer.to_owned(),
        courses: courses.iter().map(|course| (*course).to_owned()).collect(),
        on,
        counts: true,
    }
}

#[test]
fn cases_of_cdc_are_judged_and_planned_as_expected() {
    let mut documents = BTreeMap::new();
    let mut different = Vec::new();
    let mut count = 0;
    for line in include_str!("../../../../tests/schedules/cases.csv").lines().skip(1) {
        let [case, course, born, on, doses, earliest_on] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let schedule = documents.entry(course).or_insert_with(|| document(course));
        let expected = expected(doses);
        let doses = expected.iter().enumerate().map(|(number, dose)| {
            let courses = if dose.counts.is_some() { vec![course] } else { vec!["OTHER"] };
            given(number, dose.on, dose.cvx, dose.manufacturer, &courses)
        });
        let doses: Vec<_> = doses.collect();
        let judge = Judge { schedule, course, born: Some(date(born)), doses: &doses };
        let series: Vec<_> = schedule.series.iter().map(|series| judge.follow(series)).collect();
        let best = judge.best(&series, date(on)).unwrap_or_else(|| panic!("{case}: no series fits"));
        let counts: Vec<_> = best.judged.iter().map(|judged| judged.number.is_some()).collect();
        let wanted: Vec<_> = expected.iter().filter_map(|dose| dose.counts).collect();
        assert_eq!(counts, wanted, "{case}: {:?}", best.judged);
        let plan = Plan { judge, series: &series, number: best.counted() + 1, product: None };
        let wanted = Some(earliest_on).filter(|text| !text.is_empty()).map(date);
        let earliest = plan.days(date(on)).0;
        if earliest != wanted {
            different.push((case, earliest, wanted));
        }
        count += 1;
    }
    assert_eq!(count, 209);
    let known: Vec<_> = different.iter().map(|(case, ..)| *case).collect();
    assert_eq!(known, DIFFERENT.map(|(case, _)| case), "{different:?}");
}

/// A schedule of one series with these doses.
fn schedule(doses: Vec<DoseRule>) -> Schedule {
    Schedule { series: vec![Series { name: "one".to_owned(), start: None, doses }], ..Schedule::default() }
}

fn period(text: &str) -> Option<Period> {
    Some(Period::parse(text).unwrap())
}

fn since_previous(minimum: &str, absolute_minimum: &str) -> Interval {
    Interval {
        from: Origin::Previous(Previous::Previous),
        absolute_minimum: period(absolute_minimum),
        minimum: period(minimum),
        recommended: None,
        given_since: None,
        given_until: None,
    }
}

/// The earliest and the last day for the next dose, and which doses count.
fn planned(
    schedule: &Schedule,
    born: &str,
    doses: &[GivenDose],
    on: &str,
) -> (Option<NaiveDate>, Option<NaiveDate>, Vec<bool>) {
    let judge = Judge { schedule, course: "X", born: Some(date(born)), doses };
    let series: Vec<_> = schedule.series.iter().map(|series| judge.follow(series)).collect();
    let best = judge.best(&series, date(on)).unwrap();
    let counts = best.judged.iter().map(|judged| judged.number.is_some()).collect();
    let plan = Plan { judge, series: &series, number: best.counted() + 1, product: None };
    let (earliest, latest) = plan.days(date(on));
    (earliest, latest, counts)
}

fn at_age(minimum: &str, maximum: Option<&str>) -> DoseRule {
    let age = Ages { minimum: period(minimum), maximum: maximum.and_then(period), ..Ages::default() };
    DoseRule { age, ..DoseRule::default() }
}

#[test]
fn ages_and_intervals_are_counted_in_calendar_months() {
    for (born, minimum, earliest) in [
        ("2026-03-31", "9 months", "2026-12-31"),
        ("2024-02-29", "12 months", "2025-03-01"),
        ("2025-10-31", "6 months", "2026-05-01"),
        // First the months, then the days.
        ("2025-10-31", "6 months - 4 days", "2026-04-27"),
    ] {
        let schedule = schedule(vec![at_age(minimum, None)]);
        assert_eq!(planned(&schedule, born, &[], "2026-01-01").0, Some(date(earliest)), "{born} and {minimum}");
    }
    let second = DoseRule { intervals: vec![since_previous("28 days", "24 days")], ..DoseRule::default() };
    let schedule = schedule(vec![DoseRule::default(), second]);
    let first = given(0, date("2026-05-29"), "03", "", &["X"]);
    assert_eq!(planned(&schedule, "1990-01-01", &[first], "2026-06-25").0, Some(date("2026-06-26")));
}

#[test]
fn a_dose_that_is_too_early_is_given_again_and_one_within_the_grace_counts() {
    let second = || DoseRule { intervals: vec![since_previous("28 days", "24 days")], ..DoseRule::default() };
    let schedule = schedule(vec![DoseRule::default(), second(), second()]);
    let doses = ["2026-05-01", "2026-05-20", "2026-06-13"];
    let doses: Vec<_> =
        doses.iter().enumerate().map(|(number, on)| given(number, date(on), "03", "", &["X"])).collect();
    let (earliest, _, counts) = planned(&schedule, "1990-01-01", &doses, "2026-06-14");
    // The interval is counted from the dose that does not count.
    assert_eq!((earliest, counts), (Some(date("2026-07-11")), vec![true, false, true]));
    let judge = Judge { schedule: &schedule, course: "X", born: None, doses: &doses };
    let broken: Vec<_> = judge.follow(&schedule.series[0]).judged.iter().map(|judged| judged.broken).collect();
    assert_eq!(broken, [None, Some(BrokenRule::Interval), Some(BrokenRule::Interval)]);
}

#[test]
fn a_series_is_chosen_by_the_age_at_the_first_dose() {
    let child = Series {
        name: "child".to_owned(),
        start: Some(AgeRange { from: None, before: period("13 years") }),
        doses: vec![
            at_age("12 months", None),
            DoseRule { intervals: vec![since_previous("3 months", "28 days")], ..DoseRule::default() },
        ],
    };
    let adult = Series {
        name: "adult".to_owned(),
        start: Some(AgeRange { from: period("13 years"), before: None }),
        doses: vec![
            at_age("13 years", None),
            DoseRule { intervals: vec![since_previous("28 days", "24 days")], ..DoseRule::default() },
        ],
    };
    let schedule = Schedule { series: vec![child, adult], ..Schedule::default() };
    let first = given(0, date("2026-05-01"), "21", "", &["X"]);
    // Twelve years old at the first dose, thirteen when asked.
    let (earliest, ..) = planned(&schedule, "2013-06-01", std::slice::from_ref(&first), "2026-06-15");
    assert_eq!(earliest, Some(date("2026-08-01")));
    let (earliest, ..) = planned(&schedule, "2013-04-01", &[first], "2026-06-15");
    assert_eq!(earliest, Some(date("2026-05-29")));
}

#[test]
fn the_last_day_is_that_before_a_limit() {
    let schedule = Schedule {
        window: Some(Window { from: date("2026-10-01"), until: date("2027-03-31") }),
        ..schedule(vec![at_age("6 months", Some("12 months"))])
    };
    let days = |born, on| {
        let (earliest, latest, _) = planned(&schedule, born, &[], on);
        (earliest, latest)
    };
    assert_eq!(days("2026-02-15", "2026-07-01"), (Some(date("2026-10-01")), Some(date("2027-02-14"))));
    assert_eq!(days("2026-06-15", "2026-07-01"), (Some(date("2026-12-15")), Some(date("2027-03-31"))));
    assert_eq!(days("2026-02-15", "2027-02-15"), (None, None));
}

#[test]
fn a_live_vaccine_conflicts_with_another_one_before_it() {
    let schedule = Schedule {
        conflicts: vec![ConflictRule {
            with: vec!["MMR".to_owned()],
            absolute: period("24 days"),
            minimum: period("28 days"),
            ..ConflictRule::default()
        }],
        ..schedule(vec![DoseRule::default()])
    };
    // A combination conflicts as each of its courses.
    let mmr = given(1, date("2026-05-01"), "94", "", &["OTHER", "MMR"]);
    for (on, counts) in [("2026-05-24", false), ("2026-05-25", true), ("2026-05-01", true), ("2026-04-30", true)] {
        let dose = given(0, date(on), "21", "", &["X"]);
        let mut doses = [mmr.clone(), dose];
        doses.sort_by_key(|dose| dose.on);
        assert_eq!(planned(&schedule, "1990-01-01", &doses, "2026-06-01").2, [counts], "{on}");
    }
    // On the same day it is allowed, but planned for later.
    assert_eq!(planned(&schedule, "1990-01-01", std::slice::from_ref(&mmr), "2026-05-01").0, Some(date("2026-05-29")));
    assert_eq!(planned(&schedule, "1990-01-01", &[mmr], "2026-06-15").0, Some(date("2026-05-29")));
}

/// A random schedule, whose parts may contradict each other.
fn random_schedule(rng: &mut fastrand::Rng) -> Schedule {
    let series = (0..rng.usize(1..=3)).map(|number| Series {
        name: number.to_string(),
        start: rng.bool().then(|| AgeRange { from: months(rng, 0, 40), before: months(rng, 20, 120) }),
        doses: (0..rng.usize(1..=3)).map(|index| random_dose(rng, index)).collect(),
    });
    let series = series.collect();
    let conflicts = (0..rng.usize(0..=2)).map(|_| ConflictRule {
        with: vec!["OTHER".to_owned()],
        minimum: Some(Period::days(rng.i32(1..60))),
        ..ConflictRule::default()
    });
    let conflicts = conflicts.collect();
    let from = date("2016-01-01") + Days::new(rng.u64(0..1500));
    let window = (rng.u8(..5) == 0).then(|| Window { from, until: from + Days::new(rng.u64(0..900)) });
    Schedule { series, conflicts, window, questions: Vec::new() }
}

fn months(rng: &mut fastrand::Rng, from: i32, to: i32) -> Option<Period> {
    rng.bool().then(|| Period::months(rng.i32(from..to)))
}

fn random_dose(rng: &mut fastrand::Rng, index: usize) -> DoseRule {
    let age = Ages { minimum: months(rng, 0, 36), maximum: months(rng, 24, 120), ..Ages::default() };
    let intervals = (0..rng.usize(0..=2)).map(|_| {
        let day =
            |rng: &mut fastrand::Rng| (rng.u8(..4) == 0).then(|| date("2015-06-01") + Days::new(rng.u64(0..2500)));
        Interval {
            from: match rng.u32(0..=u32::try_from(index).unwrap()) {
                0 => Origin::Previous(Previous::Previous),
                number => Origin::Dose(number),
            },
            absolute_minimum: None,
            minimum: Some(Period::days(rng.i32(1..300))),
            recommended: None,
            given_since: day(rng),
            given_until: day(rng),
        }
    });
    let intervals = intervals.collect();
    let products = (0..rng.usize(0..=2)).map(|_| Product {
        cvx: Some(["01", "02"][rng.usize(..2)].to_owned()),
        given_only: rng.u8(..4) == 0,
        from: months(rng, 0, 24),
        before: months(rng, 20, 90),
        ..Product::default()
    });
    let products = products.collect();
    let not_needed_from =
        (rng.u8(..4) == 0).then(|| document::NotNeeded { given: months(rng, 24, 100), planned: months(rng, 24, 100) });
    DoseRule { age, intervals, or_intervals: Vec::new(), products, not_needed_from }
}

#[test]
fn the_earliest_day_is_the_first_that_passes_when_each_day_is_asked_in_turn() {
    const TEN_YEARS: u64 = 3653;
    let mut rng = fastrand::Rng::with_seed(16);
    let mut found = 0;
    for case in 0..1000 {
        let schedule = random_schedule(&mut rng);
        let born = date("2015-01-31") + Days::new(rng.u64(0..400));
        let mut days: Vec<_> = (0..rng.usize(0..=4)).map(|_| born + Days::new(rng.u64(0..1800))).collect();
        days.sort_unstable();
        let doses = days.iter().enumerate().map(|(number, on)| {
            let course = ["X", "OTHER"][usize::from(rng.u8(..3) == 0)];
            given(number, *on, ["01", "02"][rng.usize(..2)], "", &[course])
        });
        let doses: Vec<_> = doses.collect();
        let judge = Judge { schedule: &schedule, course: "X", born: Some(born), doses: &doses };
        let series: Vec<_> = schedule.series.iter().map(|series| judge.follow(series)).collect();
        let on = born + Days::new(rng.u64(0..TEN_YEARS));
        let product =
            rng.bool().then_some(WantedProduct { vaccine_id: Uuid::nil(), cvx: Some("01"), manufacturer: "" });
        let number = judge.best(&series, on).map_or(1, |best| best.counted() + 1);
        let plan = Plan { judge, series: &series, number, product };
        // Some limits end after ten years.
        let last = born + Days::new(2 * TEN_YEARS);
        let first = on.iter_days().take_while(|day| *day < last).find(|day| plan.passes(*day));
        let expected = first.map(|first| {
            let before = (0..(first - born).num_days()).rev().map(|days| born + chrono::Duration::days(days));
            before.take_while(|day| plan.passes(*day)).last().unwrap_or(first)
        });
        let (earliest, latest) = plan.days(on);
        assert_eq!(earliest, expected, "case {case}: born {born}, on {on}, {doses:?}, {schedule:?}");
        if let Some(first) = first {
            let end = first.iter_days().take_while(|day| *day < last).find(|day| !plan.passes(*day));
            assert_eq!(latest.filter(|day| *day < last), end.and_then(|day| day.pred_opt()), "case {case}");
        }
        found += usize::from(earliest.is_some());
    }
    assert!((200..900).contains(&found), "{found}");
}
