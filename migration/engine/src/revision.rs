//! Names of revisions on the command line.

use crate::Failure;

/// A position in the history: a number of migrations, counted from the oldest.
pub(crate) type Position = usize;

/// The position that a text names: `head`, `base`, `current`, a name or a unique prefix of one, each optionally
/// followed by `+N` or `-N`. `+N` and `-N` alone count from the current revision.
pub(crate) fn resolve(text: &str, names: &[&str], current: Position) -> Result<Position, Failure> {
    if text.is_empty() {
        return Err(Failure::UnknownRevision("no revision is named".into()));
    }
    if let Some(place) = names.iter().position(|name| *name == text) {
        return Ok(place + 1);
    }
    let (base, offset) = match text.rfind(['+', '-']) {
        Some(sign) if text[sign + 1..].parse::<u32>().is_ok() => text.split_at(sign),
        _ => (text, ""),
    };
    let offset: i64 = if offset.is_empty() { 0 } else { offset.parse().unwrap_or(0) };
    let place = if base.is_empty() { current } else { named(base, names, current)? };
    let moved = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(offset);
    match usize::try_from(moved) {
        Ok(moved) if moved <= names.len() => Ok(moved),
        _ => Err(Failure::UnknownRevision(format!("there is no revision {text}: the history has {}", names.len()))),
    }
}

fn named(text: &str, names: &[&str], current: Position) -> Result<Position, Failure> {
    match text {
        "head" | "heads" => return Ok(names.len()),
        "base" => return Ok(0),
        "current" => return Ok(current),
        _ => {}
    }
    if let Some(place) = names.iter().position(|name| *name == text) {
        return Ok(place + 1);
    }
    let found: Vec<_> = names.iter().enumerate().filter(|(_, name)| name.starts_with(text)).collect();
    match found.as_slice() {
        [(place, _)] => Ok(place + 1),
        [] => Err(Failure::UnknownRevision(format!("no revision is called {text}, and none begins with it"))),
        [(_, first), (_, second), ..] => Err(Failure::AmbiguousRevision(format!(
            "{} revisions begin with {text}, such as {first} and {second}",
            found.len()
        ))),
    }
}

/// A range `a:b`. Each end may be empty.
pub(crate) fn range(text: &str, names: &[&str], current: Position) -> Result<(Position, Position), Failure> {
    let Some((from, to)) = text.split_once(':') else {
        return Err(Failure::Usage(format!("{text} is not a range: write it as FROM:TO")));
    };
    let from = if from.is_empty() { 0 } else { resolve(from, names, current)? };
    let to = if to.is_empty() { names.len() } else { resolve(to, names, current)? };
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["m1_create_users", "m1_create_vaccines", "m2_add_nid"];

    #[test]
    fn a_revision_is_found_by_name_prefix_and_distance() {
        for (text, place) in [
            ("head", 3),
            ("base", 0),
            ("m1_create_users", 1),
            ("m2", 3),
            ("m1_create_v", 2),
            ("+1", 2),
            ("-1", 0),
            ("head-2", 1),
            ("m1_create_users+1", 2),
            ("current", 1),
        ] {
            assert_eq!(resolve(text, &NAMES, 1).unwrap(), place, "{text}");
        }
        assert_eq!(range("m1_create_users:head", &NAMES, 0).unwrap(), (1, 3));
        assert_eq!(range(":m2", &NAMES, 0).unwrap(), (0, 3));
    }

    #[test]
    fn what_is_unknown_and_what_is_ambiguous_differ() {
        assert!(matches!(resolve("m1", &NAMES, 0), Err(Failure::AmbiguousRevision(_))));
        for text in ["m3", "", "+4", "-1", "head+1", "M2"] {
            let outcome = resolve(text, &NAMES, 0);
            assert!(matches!(outcome, Err(Failure::UnknownRevision(_))), "{text}: {outcome:?}");
        }
        assert!(matches!(range("m1", &NAMES, 0), Err(Failure::Usage(_))));
    }
}
