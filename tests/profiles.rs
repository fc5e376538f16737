//! ICC profiles for tests.

/// A profile of version 2 (ICC.1:2001-04, 6.5.9): three or four `colors`, and a table with `steps` for each of them. `grid` has three values for each place in it, of
/// Lab: 0xFF00 is L* 100, and 0x8000 the zero of a* and b*.
pub fn profile(colors: usize, steps: usize, grid: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    // A straight line for each channel, before the table and behind it.
    let lines = |channels: usize| [0_u16, 65_535].repeat(channels);
    let places = steps.pow(colors as u32);
    let words: Vec<u16> = lines(colors).into_iter().chain(grid.into_iter().take(3 * places)).chain(lines(3)).collect();
    assert_eq!(words.len(), 2 * colors + 3 * places + 6, "a grid with too few values");
    // The identity, of s15Fixed16Number; and each line has two entries.
    let matrix = numbers(&[1, 0, 0, 0, 1, 0, 0, 0, 1].map(|unit: u32| unit << 16));
    let table = [b"mft2\0\0\0\0", &[colors as u8, 3, steps as u8, 0][..], &matrix, &[0, 2, 0, 2]].concat();
    let table = [table, words.into_iter().flat_map(u16::to_be_bytes).collect()].concat();
    let mut profile = vec![0; 128];
    profile[..4].copy_from_slice(&(144 + table.len() as u32).to_be_bytes());
    profile[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    profile[12..24].copy_from_slice(if colors == 4 { b"prtrCMYKLab " } else { b"prtrRGB Lab " });
    profile[36..40].copy_from_slice(b"acsp");
    profile[68..80].copy_from_slice(&[0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D]);
    [profile, numbers(&[1]), b"A2B0".to_vec(), numbers(&[144, table.len() as u32]), table].concat()
}
