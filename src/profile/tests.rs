use super::*;

#[test]
fn scratch() {
    for entry in std::fs::read_dir("/tmp/b").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "icc") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let model = match bytes.get(16..20) {
            Some(b"GRAY") => Model::Gray,
            Some(b"CMYK") => Model::Cmyk,
            _ => Model::Rgb,
        };
        let t = std::time::Instant::now();
        let p = Profile::icc(bytes);
        let c = p.conversion(model);
        let e = t.elapsed();
        let n = match model {
            Model::Gray => 1,
            Model::Cmyk => 4,
            _ => 3,
        };
        println!("{} {:?} {:?} {e:?}", path.display(), c.is_some(), p.unused(model));
        let Some(c) = c else { continue };
        let px: Vec<u8> = (0..n as u32 * 40_000).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
        let wide: Vec<u16> = px.iter().map(|v| u16::from(*v) * 257).collect();
        let (mut a, mut b) = (vec![], vec![]);
        let t = std::time::Instant::now();
        c.narrow(&px, &mut a);
        let tn = t.elapsed();
        let t = std::time::Instant::now();
        c.wide(&wide, &mut b);
        let tw = t.elapsed();
        let mut hist = std::collections::BTreeMap::new();
        for (x, y) in a.iter().zip(&b) {
            *hist.entry(i32::from(*x) - i32::from(*y)).or_insert(0) += 1;
        }
        println!("   {hist:?} narrow {tn:?} wide {tw:?}");
        std::fs::write(path.with_extension("in"), &px).unwrap();
        std::fs::write(path.with_extension("out"), &a).unwrap();
    }
}
