//! Placeholder until the audit branch lands.
/// Stand-in.
pub struct Authorized<T>(T);
impl<T> Authorized<T> {
    /// Gives it up.
    pub fn into_inner(self) -> T {
        self.0
    }
}
