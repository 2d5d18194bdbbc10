//! Placeholder until the audit branch lands.
/// Stand-in.
pub struct Authorized<T>(T);
impl<T> Authorized<T> {
    /// Gives it up.
    pub fn into_inner(self) -> T {
        self.0
    }
}
/// Stand-in: which records are wanted.
#[derive(Clone, Debug, Default)]
pub struct ReadQuery {
    /// newest first, at most
    pub limit: Option<usize>,
}
/// Stand-in: a record as stored.
#[derive(Clone, Debug)]
pub struct StoredRecord {}
/// Stand-in.
#[derive(Clone, Debug)]
pub struct VerifyReport {}
