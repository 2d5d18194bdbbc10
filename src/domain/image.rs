//! References to container images, as far as they can be told from what was mistyped: the grammar of
//! `github.com/distribution/reference`.

/// The longest name, without tag and digest.
const LONGEST: usize = 255;

/// Whether `image` can name an image: `name[:tag][@digest]`. `Err` says which part cannot, and why.
///
/// Kubernetes takes any text for an image; what cannot be one shows only when pods do not start.
pub fn check(image: &str) -> Result<(), String> {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    // A colon before the last slash belongs to a port.
    let at = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[at..].find(':') {
        Some(colon) => (&rest[..at + colon], Some(&rest[at + colon + 1..])),
        None => (rest, None),
    };
    if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
        return Err(format!("{digest:?} is no digest: `sha256:` and 64 hexadecimal digits"));
    }
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(format!("{tag:?} is no tag: letters, digits, `_`, `.` and `-`, at most 128 of them"));
    }
    if name.len() > LONGEST {
        return Err(format!("its name is longer than {LONGEST} characters"));
    }
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => name,
    };
    match path.split('/').find(|part| !is_part(part)) {
        None => Ok(()),
        Some("") => Err("a part of its name is empty".to_owned()),
        Some(part) => {
            Err(format!("{part:?} in its name: small letters and digits, with `.`, `_`, `__` or `-` only between them"))
        }
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let parts = algorithm.split(['+', '.', '-', '_']).all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let long = if algorithm == "sha256" { hex.len() == 64 } else { hex.len() >= 32 };
    parts && long && hex.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether the first part of a name is a registry and not the beginning of a path.
fn is_host(part: &str) -> bool {
    let (host, port) = part.rsplit_once(':').map_or((part, None), |(host, port)| (host, Some(port)));
    let ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let known = port.is_some() || host.contains('.') || host == "localhost" || ipv6.is_some();
    let upper = host.chars().any(|c| c.is_ascii_uppercase());
    let label = |label: &str| {
        let ends = !label.starts_with('-') && !label.ends_with('-') && !label.is_empty();
        ends && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let named = match ipv6 {
        Some(ip) => ip.parse::<core::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(label),
    };
    (known || upper) && named && port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()))
}

fn is_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |text: &str| matches!(text, "." | "_" | "__") || text.chars().all(|c| c == '-');
    let mut separators = part.split(plain).filter(|text| !text.is_empty());
    part.starts_with(plain) && part.ends_with(plain) && separators.all(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_image() {
        let digest = format!("shop/web@sha256:{}", "0a".repeat(32));
        for image in [
            "web",
            "web:1",
            "shop/web:8ab41e0",
            "a--b/c__d/e.f_g:v1.2-rc.1_x",
            "localhost/web",
            "localhost:5000/web:1",
            "registry.example.com:443/team/web:V1",
            "REGISTRY/web",
            "[::1]:5000/web",
            "my-host.internal/web@sha512:00112233445566778899aabbccddeeff",
            digest.as_str(),
            &digest.replace("web@", "web:1@"),
        ] {
            assert_eq!(check(image), Ok(()), "{image}");
        }
    }

    #[test]
    fn what_does_not_and_which_part_of_it() {
        for (image, why) in [
            ("", "a part of its name is empty"),
            ("platform/mail:0d0d0d0platform/mail:new", "\"mail:0d0d0d0platform\" in its name"),
            ("shop//web", "a part of its name is empty"),
            ("shop/web:", "\"\" is no tag"),
            ("shop/web:a b", "\"a b\" is no tag"),
            ("shop/web:-a", "\"-a\" is no tag"),
            ("shop/web:a:b", "\"a:b\" is no tag"),
            ("shop/Web", "\"Web\" in its name"),
            ("shop/web-", "\"web-\" in its name"),
            ("shop/we..b", "\"we..b\" in its name"),
            ("shop/w\u{e4}b", "in its name"),
            ("shop/web@sha256:12", "is no digest"),
            ("shop/web@", "\"\" is no digest"),
            ("https://shop/web", "\"https:\" in its name"),
            ("-bad.host/web", "\"-bad.host\" in its name"),
        ] {
            assert!(check(image).is_err_and(|said| said.contains(why)), "{image}: {:?}", check(image));
        }
        assert!(check(&format!("web:{}", "a".repeat(129))).is_err_and(|why| why.contains("at most 128")));
        assert!(check(&"a".repeat(300)).is_err_and(|why| why.contains("longer than 255")));
    }
}
