//! Smaller lists of which something is still true.

/// The smallest list that was found of which `still` is true, as it is of all items: runs of items are dropped, long ones first, as long as
/// that stays so. `still` is asked at most `limit` times; of a single item that matters among many, about twice the logarithm of their number.
pub fn smallest<T: Clone>(items: Vec<T>, limit: usize, mut still: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut best = items;
    let mut asked = 0;
    let mut length = best.len().div_ceil(2);
    while length > 0 {
        let mut from = 0;
        while from < best.len() && asked < limit {
            let end = (from + length).min(best.len());
            let candidate: Vec<T> = best[..from].iter().chain(&best[end..]).cloned().collect();
            asked += 1;
            if still(&candidate) {
                best = candidate;
            } else {
                from = end;
            }
        }
        length /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::smallest;

    #[test]
    fn what_matters_is_left() {
        let mut asked = 0;
        let found = smallest((0..1000).collect(), 1000, |items| {
            asked += 1;
            items.contains(&617)
        });
        assert_eq!(found, [617]);
        assert!(asked < 30, "{asked}");
        let both = smallest((0..100).collect(), 1000, |items| items.contains(&3) && items.contains(&97));
        assert_eq!(both, [3, 97]);
        assert_eq!(smallest(vec![1, 2], 0, |_| true), [1, 2], "nobody was asked");
        assert!(smallest(vec![1, 2, 3], 10, |_| true).is_empty());
    }
}
