/// No colour.
pub const PLAIN: &str = "plain";
