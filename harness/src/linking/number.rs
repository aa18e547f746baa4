//! Numbers as users write them.

/// An address: decimal, or hexadecimal behind `0x`.
pub fn address(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is not an address, expected a number, decimal or behind 0x"))
}
