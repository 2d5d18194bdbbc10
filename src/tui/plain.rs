//! Text that needs no closer look. Most of a screen is ASCII and our own signs, where every character is a cell: that is
//! seen faster than graphemes are found, or widths looked up.

use unicode_width::UnicodeWidthStr as _;

/// Whether it is one cell of its own whatever stands beside it: ASCII, and the signs that screens are drawn with.
pub(super) fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{2500}'..='\u{259f}')
        || matches!(
            c,
            '■' | '□'
                | '●'
                | '○'
                | '◆'
                | '▸'
                | '‖'
                | '–'
                | '…'
                | '←'
                | '↑'
                | '→'
                | '↓'
                | '✓'
                | '✗'
                | '·'
        )
}

/// How many columns `text` takes.
pub(super) fn wide(text: &str) -> usize {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.len();
    }
    if text.chars().all(is_plain) { text.chars().count() } else { text.width() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_plain_takes_one_cell() {
        for c in ('\0'..='\u{ffff}').filter(|c| is_plain(*c)) {
            assert_eq!(c.to_string().width(), 1, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn text_is_as_wide_as_it_is(text in "[ -~─-▟■□●○◆▸‖–…←↑→↓↵✓✗·]{0,12}|[─■●…✓a\u{300}\u{fe0f}\u{200d}🇩漢\u{1}]{0,8}") {
            prop_assert_eq!(wide(&text), text.width());
        }
    }
}
