//! Texts that come again and again are kept once: thousands of objects repeat labels, images, reasons and uids.

use std::cell::RefCell;

use super::Clean;

/// How many texts each thread remembers, as a power of two. What repeats is found again after some dozen others.
const PLACES: usize = 1 << 10;

/// Longer texts hardly repeat.
const LONGEST: usize = 128;

thread_local! {
    static RECENT: RefCell<Vec<Clean>> = const { RefCell::new(Vec::new()) };
}

/// Cleans `raw`, or hands out the same text if it was met lately. A text takes the place of another one now and then:
/// then there are two of a kind, and nothing is lost but room.
pub(super) fn clean(raw: &str) -> Clean {
    if raw.is_empty() || raw.len() > LONGEST {
        return Clean::new(raw);
    }
    RECENT.with_borrow_mut(|recent| {
        if recent.is_empty() {
            recent.resize_with(PLACES, Clean::default);
        }
        let place = &mut recent[place(raw)];
        // Only text that needed no cleaning equals what it was made of.
        if place.as_str() != raw {
            *place = Clean::new(raw);
        }
        place.clone()
    })
}

/// FNV-1a: a collision costs room, so nothing better is needed.
fn place(raw: &str) -> usize {
    let hash = raw.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_the_same() {
        let at = |text: &Clean| text.as_str().as_ptr();
        let (a, b) = (clean("app.kubernetes.io/name"), clean("app.kubernetes.io/name"));
        assert_eq!((a.as_str(), at(&a)), ("app.kubernetes.io/name", at(&b)));
        for n in 0..10_000 {
            assert_eq!(clean(&format!("uid-{n}")).as_str(), format!("uid-{n}"));
        }
        assert_eq!(clean("app.kubernetes.io/name"), a);
    }

    #[test]
    fn it_is_clean_each_time() {
        for _ in 0..2 {
            assert_eq!(clean("x\u{202e}y"), Clean::new("x\u{202e}y"));
            assert_eq!(clean("\u{1b}[2J").as_str(), "␛[2J");
        }
    }
}
