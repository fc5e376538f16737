//! JPEG files that become JPEG without pixels in between, wherever they are cut.

use super::support::{pixels, render, root};

#[test]
fn a_cut_between_samples_of_chroma_shows_the_same_picture() {
    let photograph = std::fs::read(root().join("www/samples/hubble_deep_field.jpg")).unwrap();
    // At 4:2:0 and 4:4:4, by our own encoder.
    let halved = render(&photograph, "100,100,333,277/max/0/default.jpg").unwrap().bytes;
    for (file, source) in [("as it is", &photograph), ("4:2:0", &halved)] {
        for (x, y, width, height) in
            [(20, 30, 64, 64), (21, 30, 64, 64), (20, 31, 65, 64), (21, 31, 64, 65), (33, 17, 1, 1), (15, 15, 2, 3), (0, 255, 200, 22), (331, 1, 2, 270)]
        {
            for scale in [1, 2] {
                let region = format!("{},{},{},{}", x / scale * scale, y / scale * scale, width * scale, height * scale);
                let ask = |format: &str| render(source, &format!("{region}/pct:{}/0/default.{format}", 100 / scale)).map(|encoded| pixels(&encoded));
                let (Ok(jpeg), Ok(exact)) = (ask("jpg"), ask("png")) else { panic!("{file} {region}") };
                assert_eq!(jpeg.dimensions(), exact.dimensions());
                let squares: f64 = jpeg.iter().zip(exact.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
                let psnr = 10.0 * (255.0 * 255.0 / (squares / jpeg.len() as f64).max(1e-9)).log10();
                assert!(psnr > 33.0, "{file} {region} at 1/{scale}: {psnr:.1} dB");
            }
        }
    }
}
