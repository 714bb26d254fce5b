//! Revision arguments of the command line.

use crate::Failure;

/// A position in the history: the number of migrations up to it.
pub(crate) type Position = usize;

/// The position of a revision argument: `head`, `base`, `current`, a name, an unambiguous prefix of
/// one, or one of these followed by `+N` or `-N`. `+N` and `-N` alone are relative to the current
/// revision.
pub(crate) fn resolve(text: &str, names: &[&str], current: Position) -> Result<Position, Failure> {
    if text.is_empty() {
        return Err(Failure::UnknownRevision("the revision is empty".into()));
    }
    if let Some(position) = names.iter().position(|name| *name == text) {
        return Ok(position + 1);
    }
    let (base, offset) = match text.rfind(['+', '-']) {
        Some(sign) if text[sign + 1..].parse::<u32>().is_ok() => text.split_at(sign),
        _ => (text, ""),
    };
    let offset: i64 = if offset.is_empty() { 0 } else { offset.parse().unwrap_or(0) };
    let position = if base.is_empty() { current } else { named(base, names, current)? };
    let moved = i64::try_from(position).unwrap_or(i64::MAX).saturating_add(offset);
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
    if let Some(position) = names.iter().position(|name| *name == text) {
        return Ok(position + 1);
    }
    let found: Vec<_> = names.iter().enumerate().filter(|(_, name)| name.starts_with(text)).collect();
    match found.as_slice() {
        [(position, _)] => Ok(position + 1),
        [] => Err(Failure::UnknownRevision(format!("no revision is called {text}, and none begins with it"))),
        [(_, first), (_, second), ..] => Err(Failure::AmbiguousRevision(format!(
            "{} revisions begin with {text}, such as {first} and {second}",
            found.len()
        ))),
    }
}

/// A range `a:b`; both ends are optional.
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
    fn a_revision_is_found_by_name_prefix_and_offset() {
        for (text, position) in [
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
            assert_eq!(resolve(text, &NAMES, 1).unwrap(), position, "{text}");
        }
        assert_eq!(range("m1_create_users:head", &NAMES, 0).unwrap(), (1, 3));
        assert_eq!(range(":m2", &NAMES, 0).unwrap(), (0, 3));
    }

    #[test]
    fn unknown_and_ambiguous_revisions_are_different_failures() {
        assert!(matches!(resolve("m1", &NAMES, 0), Err(Failure::AmbiguousRevision(_))));
        for text in ["m3", "", "+4", "-1", "head+1", "M2"] {
            let outcome = resolve(text, &NAMES, 0);
            assert!(matches!(outcome, Err(Failure::UnknownRevision(_))), "{text}: {outcome:?}");
        }
        assert!(matches!(range("m1", &NAMES, 0), Err(Failure::Usage(_))));
    }
}
