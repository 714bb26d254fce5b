//! Names in Rust for names in SQL. Words are split by `heck`, which `DeriveIden` uses.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

/// The variant of an `Iden` enum for a name, such as `UserId` for `user_id`.
pub(crate) fn iden_variant(name: &str) -> String {
    let camel = name.to_upper_camel_case();
    match camel.chars().next() {
        None => "Unnamed".into(),
        Some(first) if first.is_numeric() => format!("N{camel}"),
        Some(_) if camel == "Self" => "SelfColumn".into(),
        Some(_) => camel,
    }
}

/// The name that `DeriveIden` gives a variant, such as `user_id` for `UserId`.
pub(crate) fn derived_name(variant: &str) -> String {
    variant.to_snake_case()
}

/// A valid name of a function or a module.
pub(crate) fn function(name: &str) -> String {
    let ascii = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    // A file name may only contain ASCII.
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
    fn names_are_converted_to_rust_and_back() {
        for (sql, rust) in [("user_id", "UserId"), ("line2_text", "Line2Text"), ("users", "Users")] {
            assert_eq!((iden_variant(sql).as_str(), derived_name(rust).as_str()), (rust, sql));
        }
        assert_eq!(
            (iden_variant("self").as_str(), iden_variant("2fa").as_str(), iden_variant("weird name").as_str()),
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
