//! Text as it is searched: without regard to letter case, in any script, and with every character meaning itself.

/// The form in which text is stored and asked for.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// The pattern of `LIKE … ESCAPE '\'` that finds `text` anywhere.
#[must_use]
pub fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold(text).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{anywhere, fold};

    #[test]
    fn letter_case_does_not_matter_in_any_script() {
        assert_eq!(fold("ЖУК Éa ÀB"), fold("жук éA àb"));
    }

    #[test]
    fn wildcards_are_ordinary_characters() {
        assert_eq!(anywhere(r"50%_\"), r"%50\%\_\\%");
    }
}
