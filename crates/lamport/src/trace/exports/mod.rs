//! The computation for other tools: each file says the same partial order.

pub mod dot;
pub mod mermaid;
pub mod perfetto;
pub mod shiviz;
#[cfg(test)]
mod tests;
