//! Names in Rust for names in SQL.

/// `user_id` as `UserId`.
pub(crate) fn pascal(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split(|c: char| !c.is_alphanumeric()) {
        let mut characters = word.chars();
        pascal.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        pascal.push_str(characters.as_str());
    }
    match pascal.chars().next() {
        None => "Unnamed".into(),
        Some(first) if first.is_numeric() => format!("N{pascal}"),
        Some(_) if pascal == "Self" => "SelfColumn".into(),
        Some(_) => pascal,
    }
}

/// `UserId` as `user_id`, as SeaORM's derives do it.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let characters: Vec<_> = name.chars().collect();
    for (place, c) in characters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(place + 1);
        let begins_word = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || after.is_some_and(|after| after.is_lowercase()) && before.is_uppercase()
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// A name that Rust accepts for a function or a module.
pub(crate) fn function(name: &str) -> String {
    let ascii = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    // Rust does not take other letters in the name of a file.
    let cleaned: String = name.chars().map(ascii).collect();
    let cleaned = cleaned.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    let is_keyword = ["type", "match", "move", "ref", "use", "mod", "fn", "in", "for", "where", "loop", "up", "down"];
    match cleaned.chars().next() {
        None => "unnamed".into(),
        Some(first) if first.is_numeric() => format!("n{cleaned}"),
        Some(_) if is_keyword.contains(&cleaned.as_str()) || syn::parse_str::<syn::Ident>(&cleaned).is_err() => {
            format!("{cleaned}_table")
        }
        Some(_) => cleaned,
    }
}

/// The singular of an English plural, for the name of a relation.
pub(crate) fn singular(name: &str) -> String {
    match name {
        _ if name.ends_with("ies") => format!("{}y", &name[..name.len() - 3]),
        _ if ["sses", "xes", "ches", "shes"].iter().any(|end| name.ends_with(end)) => name[..name.len() - 2].to_owned(),
        _ if name.ends_with('s') && !name.ends_with("ss") => name[..name.len() - 1].to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_rust_and_back() {
        for (sql, rust) in [("user_id", "UserId"), ("line2_text", "Line2Text"), ("users", "Users")] {
            assert_eq!((pascal(sql).as_str(), snake(rust).as_str()), (rust, sql));
        }
        assert_eq!(
            (pascal("self").as_str(), pascal("2fa").as_str(), pascal("weird name").as_str()),
            ("SelfColumn", "N2fa", "WeirdName")
        );
        assert_eq!(
            (function("Add nid!").as_str(), function("type").as_str(), function("2fa").as_str()),
            ("add_nid", "type_table", "n2fa")
        );
        assert_eq!(
            ["vaccines", "centres", "categories", "boxes", "address"].map(singular),
            ["vaccine", "centre", "category", "box", "address"]
        );
    }
}
