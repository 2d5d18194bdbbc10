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

/// Eight bytes at a time, multiplied and folded: a collision costs room, so nothing better is needed.
fn place(raw: &str) -> usize {
    let mix = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ (product >> 32)
    };
    let mut words = raw.as_bytes().chunks_exact(8);
    let hash =
        words.by_ref().fold(raw.len() as u64, |hash, word| mix(hash, word.try_into().map_or(0, u64::from_le_bytes)));
    let rest = words.remainder().iter().fold(0, |rest, byte| (rest << 8) | u64::from(*byte));
    usize::try_from(mix(hash, rest) >> (64 - PLACES.ilog2())).unwrap_or(0)
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
    fn places_are_spread() {
        let mut taken: Vec<usize> = (0..PLACES).map(|n| place(&format!("team-{:02}/svc-{n:05}", n % 20))).collect();
        taken.sort_unstable();
        taken.dedup();
        // By chance it would be 63 of 100.
        assert!(taken.len() > PLACES / 2, "{}", taken.len());
        assert!(taken.iter().all(|place| *place < PLACES));
    }

    #[test]
    fn it_is_clean_each_time() {
        for _ in 0..2 {
            assert_eq!(clean("x\u{202e}y"), Clean::new("x\u{202e}y"));
            assert_eq!(clean("\u{1b}[2J").as_str(), "␛[2J");
        }
    }
}
