//! Exports for other tools: each file represents the same partial order.

pub mod dot;
pub mod mermaid;
pub mod perfetto;
pub mod shiviz;
#[cfg(test)]
mod tests;
