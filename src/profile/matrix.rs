//! The little algebra of primaries.

pub(super) type Matrix = [[f64; 3]; 3];

/// From XYZ under D50, the connection space of ICC, to the light of sRGB's primaries: its matrix (IEC 61966-2-1), adapted by Bradford's.
pub(super) const D50_TO_SRGB: Matrix =
    [[3.133_856_1, -1.616_866_7, -0.490_614_6], [-0.978_768_4, 1.916_141_5, 0.033_454_0], [0.071_945_3, -0.228_991_4, 1.405_242_7]];

/// Cone responses by Bradford.
const BRADFORD: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];

/// ICC.1, 6.3.4.3.
const D50: [f64; 3] = [0.9642, 1.0, 0.8249];

/// A matrix that differs from no change by less than the roundings of profiles is none: sRGB's own primaries come in many roundings.
pub(super) fn snapped(matrix: Matrix) -> Matrix {
    const SAME: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let near = matrix.iter().flatten().zip(SAME.iter().flatten()).all(|(factor, same)| (factor - same).abs() < 1e-3);
    if near { SAME } else { matrix }
}

/// Chromaticities x, y of three primaries and of their white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Primaries {
    pub red: (f64, f64),
    pub green: (f64, f64),
    pub blue: (f64, f64),
    pub white: (f64, f64),
}

impl Primaries {
    /// From light of these primaries to that of sRGB's; `None` if they span no colours.
    pub fn to_srgb(self) -> Option<Matrix> {
        let light = |(x, y): (f64, f64)| (y > 0.0).then(|| [x / y, 1.0, (1.0 - x - y) / y]);
        let (red, green, blue, white) = (light(self.red)?, light(self.green)?, light(self.blue)?, light(self.white)?);
        let unscaled = transposed([red, green, blue]);
        let shares = apply(inverse(unscaled)?, white);
        let to_xyz = unscaled.map(|row| [row[0] * shares[0], row[1] * shares[1], row[2] * shares[2]]);
        let (from, to) = (apply(BRADFORD, white), apply(BRADFORD, D50));
        let ratio = [to[0] / from[0], to[1] / from[1], to[2] / from[2]];
        let adapted = [0, 1, 2].map(|row| BRADFORD[row].map(|factor| factor * ratio[row]));
        let adaptation = product(inverse(BRADFORD)?, adapted);
        let matrix = product(D50_TO_SRGB, product(adaptation, to_xyz));
        matrix.iter().flatten().all(|factor| factor.is_finite()).then(|| snapped(matrix))
    }
}

pub(super) fn product(left: Matrix, right: Matrix) -> Matrix {
    let columns = transposed(right);
    left.map(|row| columns.map(|column| dot(row, column)))
}

fn apply(matrix: Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| dot(row, vector))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn transposed(matrix: Matrix) -> Matrix {
    [0, 1, 2].map(|column| matrix.map(|row| row[column]))
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// By cofactors; `None` if there is none.
fn inverse(matrix: Matrix) -> Option<Matrix> {
    let [a, b, c] = matrix;
    let cofactors = [cross(b, c), cross(c, a), cross(a, b)];
    let determinant = dot(a, cofactors[0]);
    (determinant.abs() > 1e-9).then(|| transposed(cofactors.map(|row| row.map(|factor| factor / determinant))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const D65: (f64, f64) = (0.3127, 0.3290);

    fn close(found: Matrix, expected: Matrix) -> bool {
        found.iter().flatten().zip(expected.iter().flatten()).all(|(found, expected)| (found - expected).abs() < 5e-4)
    }

    #[test]
    fn primaries_of_srgb_are_its_own() {
        let srgb = Primaries { red: (0.64, 0.33), green: (0.30, 0.60), blue: (0.15, 0.06), white: D65 };
        let found = srgb.to_srgb().unwrap();
        assert_eq!(found, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    }

    #[test]
    fn display_p3_is_as_css_color_4_tells() {
        let p3 = Primaries { red: (0.68, 0.32), green: (0.265, 0.69), blue: (0.15, 0.06), white: D65 };
        let found = p3.to_srgb().unwrap();
        assert!(close(found, [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]]), "{found:?}");
    }

    #[test]
    fn white_stays_white_and_nonsense_is_none() {
        let adobe = Primaries { red: (0.64, 0.33), green: (0.21, 0.71), blue: (0.15, 0.06), white: (0.3457, 0.3585) };
        let white = apply(adobe.to_srgb().unwrap(), [1.0; 3]);
        assert!(white.iter().all(|light| (light - 1.0).abs() < 5e-4), "{white:?}");
        for (red, green) in [((0.0, 0.0), (0.3, 0.6)), ((0.15, 0.06), (0.15, 0.06)), ((f64::NAN, 0.3), (0.3, 0.6))] {
            assert_eq!(Primaries { red, green, ..adobe }.to_srgb(), None);
        }
    }
}
