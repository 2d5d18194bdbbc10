//! Words of a filter, before anything is made of them.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Whether it began with `!`.
    pub negated: bool,
    /// What stood before the first colon, in lower case; letters only, else it is text.
    pub key: Option<String>,
    /// The rest, without its quotes.
    pub value: String,
}

/// The words of `text`. A quote that is not closed goes on to the end: somebody is typing.
pub fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = word(rest);
        all.push(word);
        rest = after.trim_start();
    }
    all
}

fn word(text: &str) -> (Word, &str) {
    let mut word = Word { negated: false, key: None, value: String::new() };
    let body = text.strip_prefix('!').inspect(|_| word.negated = true).unwrap_or(text);
    let (mut quoted, mut quotes) = (false, false);
    for (at, c) in body.char_indices() {
        match c {
            '"' => {
                quoted = !quoted;
                quotes = true;
            }
            ':' if !quoted && !quotes && word.key.is_none() && is_key(&word.value) => {
                word.key = Some(std::mem::take(&mut word.value).to_lowercase());
            }
            c if c.is_whitespace() && !quoted => return (word, &body[at..]),
            c => word.value.push(c),
        }
    }
    (word, "")
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic())
}
