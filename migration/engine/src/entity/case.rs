//! Name styles of SeaORM's attributes. Words are split by `heck`, which SeaORM's derives use.

use heck::{
    ToKebabCase as _, ToLowerCamelCase as _, ToShoutyKebabCase as _, ToShoutySnakeCase as _, ToSnakeCase as _,
    ToTitleCase as _, ToUpperCamelCase as _,
};

/// The name in the style of a `rename_all` attribute. None if the style is unknown.
pub(super) fn styled(name: &str, style: &str) -> Option<String> {
    Some(match style {
        "PascalCase" | "camel_case" => name.to_upper_camel_case(),
        "camelCase" | "mixed_case" => name.to_lower_camel_case(),
        "snake_case" | "snek_case" => name.to_snake_case(),
        "SCREAMING_SNAKE_CASE" | "shouty_snake_case" | "shouty_snek_case" => name.to_shouty_snake_case(),
        "kebab-case" | "kebab_case" => name.to_kebab_case(),
        "SCREAMING-KEBAB-CASE" => name.to_shouty_kebab_case(),
        "title_case" => name.to_title_case(),
        "lowercase" => name.to_lowercase(),
        "UPPERCASE" => name.to_uppercase(),
        _ => return None,
    })
}

/// The name of the field of a column.
pub(super) fn field_name(column: &str) -> String {
    let plain = column.to_snake_case();
    match plain.chars().next() {
        None => "unnamed".into(),
        Some(first) if first.is_numeric() => format!("n{plain}"),
        Some(_) if ["self", "super", "crate"].contains(&plain.as_str()) => format!("{plain}_column"),
        Some(_) => plain,
    }
}

/// The name as a Rust identifier; a keyword gets the prefix `r#`.
pub(super) fn identifier(name: &str) -> String {
    if syn::parse_str::<syn::Ident>(name).is_ok() { name.to_owned() } else { format!("r#{name}") }
}

#[cfg(test)]
mod tests {
    use super::{field_name, styled};

    #[test]
    fn words_are_split_as_in_seaorm() {
        for (name, snake, camel) in [
            ("user_id", "user_id", "UserId"),
            ("h1_n1", "h1_n1", "H1N1"),
            ("H1N1", "h1n1", "H1n1"),
            ("b12_c", "b12_c", "B12C"),
            ("B12C", "b12c", "B12c"),
            ("line2_text", "line2_text", "Line2Text"),
            ("IPAddress", "ip_address", "IpAddress"),
        ] {
            assert_eq!(styled(name, "snake_case").unwrap(), snake, "{name}");
            assert_eq!(styled(name, "PascalCase").unwrap(), camel, "{name}");
        }
        assert_eq!(styled("user_id", "camelCase").unwrap(), "userId");
        assert_eq!(styled("user_id", "SCREAMING-KEBAB-CASE").unwrap(), "USER-ID");
        assert_eq!(styled("user_id", "unknown"), None);
        assert_eq!([field_name("2fa"), field_name("self"), field_name("")], ["n2fa", "self_column", "unnamed"]);
    }
}
