//! Numbers as users write them.

use corpus::value;

/// An address: decimal, or behind `0x`, `0o` or `0b`.
pub fn address(text: &str) -> Result<u64, String> {
    let parsed = value::unsigned(text);
    parsed.ok_or_else(|| format!("`{text}` is not an address, expected a number, decimal or behind 0x, 0o or 0b"))
}
