use rsa::rand_core::RngCore as _;

use super::super::generate::Source;
use crate::clock::Random;

#[test]
fn what_makes_rsa_keys_is_random_to_the_last_octet() {
    let random = Random::default();
    for length in [1, 31, 32, 33, 64, 257] {
        let (mut once, mut never) = (vec![0; length], vec![true; length]);
        for _ in 0..40 {
            Source(&random).try_fill_bytes(&mut once).unwrap();
            for (never, octet) in never.iter_mut().zip(&once) {
                *never &= *octet == 0;
            }
        }
        assert!(!never.contains(&true), "of {length} octets, some stay 0");
    }
    Source(&random).fill_bytes(&mut []);
    let mut numbers: Vec<u64> = (0..40).map(|_| Source(&random).next_u64()).collect();
    numbers.extend((0..40).map(|_| u64::from(Source(&random).next_u32()) << 17));
    let drawn = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), drawn, "no number comes twice");
}
