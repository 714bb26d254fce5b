//! Names in the styles that SeaORM's attributes know. Words begin where SeaORM's derives see them begin.

/// The words that a name is made of.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()) {
        let characters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        // Whether the last letter before was a capital; a digit counts as what stands before it.
        let mut was_capital = None;
        for (place, c) in characters.iter().enumerate() {
            let next = characters.get(place + 1);
            let is_capital = match (c.is_lowercase(), c.is_uppercase()) {
                (true, _) => Some(false),
                (_, true) => Some(true),
                _ => was_capital,
            };
            if was_capital == Some(true) && c.is_uppercase() && next.is_some_and(|next| next.is_lowercase()) {
                words.push(std::mem::take(&mut word));
                word.push(*c);
                was_capital = None;
            } else if is_capital == Some(false) && next.is_some_and(|next| next.is_uppercase()) {
                word.push(*c);
                words.push(std::mem::take(&mut word));
                was_capital = None;
            } else {
                word.push(*c);
                was_capital = is_capital;
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &letters.as_str().to_lowercase()
}

/// `user_id` as `UserId`.
pub(super) fn upper_camel(name: &str) -> String {
    words(name).iter().map(|word| capitalised(word)).collect()
}

/// `UserId` as `user_id`.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_").to_lowercase()
}

/// A name as `rename_all` makes it; none for a style that is not known.
pub(super) fn styled(name: &str, style: &str) -> Option<String> {
    Some(match style {
        "PascalCase" | "camel_case" => upper_camel(name),
        "camelCase" | "mixed_case" => {
            let camel = upper_camel(name);
            let mut letters = camel.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
            first + letters.as_str()
        }
        "snake_case" | "snek_case" => snake(name),
        "SCREAMING_SNAKE_CASE" | "shouty_snake_case" | "shouty_snek_case" => snake(name).to_uppercase(),
        "kebab-case" | "kebab_case" => snake(name).replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => snake(name).replace('_', "-").to_uppercase(),
        "title_case" => words(name).iter().map(|word| capitalised(word)).collect::<Vec<_>>().join(" "),
        "lowercase" => name.to_lowercase(),
        "UPPERCASE" => name.to_uppercase(),
        _ => return None,
    })
}

/// The name of a field for a column.
pub(super) fn named(column: &str) -> String {
    let plain = snake(column);
    match plain.chars().next() {
        None => "unnamed".into(),
        Some(first) if first.is_numeric() => format!("n{plain}"),
        Some(_) if ["self", "super", "crate"].contains(&plain.as_str()) => format!("{plain}_column"),
        Some(_) => plain,
    }
}

/// A name as Rust takes it for an identifier.
pub(super) fn identifier(name: &str) -> String {
    if syn::parse_str::<syn::Ident>(name).is_ok() { name.to_owned() } else { format!("r#{name}") }
}
