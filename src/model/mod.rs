//! What a Dockerfile means.
use crate::syntax::Dockerfile;
/// Stages and steps.
pub struct Model;
impl Model {
    /// x
    pub fn of(_d: &Dockerfile) -> Self { Self }
}
