//! Answers one request of one file, for `npm run corpus`: `corpus FILE info.json` or `corpus FILE full/max/0/default.png`.
//! The answer goes to standard output, the error's code and message go to standard error, and the last line there is the CPU time in ms.

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

use azulejo::api::{Service, Version};
use azulejo::{EncodeOptions, Error, Result, native};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(request)) = (arguments.next(), arguments.next()) else {
        eprintln!("corpus FILE REQUEST");
        return ExitCode::from(2);
    };
    let result = answer(&path, &request);
    let cpu = cpu_ms();
    let code = match result {
        Ok(bytes) => std::io::stdout().write_all(&bytes).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{}\n{error}", error.code());
            ExitCode::FAILURE
        }
    };
    eprintln!("{cpu}");
    code
}

fn answer(path: &str, request: &str) -> Result<Vec<u8>> {
    let service = Service::default();
    let mut file = File::open(path).map_err(|error| Error::SourceRead { what: error.to_string() })?;
    let pyramid = native::open(&mut file, &service)?;
    if request == "info.json" {
        return Ok(pyramid.info(&service).json(Version::V2, "https://example.org/iiif/2/corpus").into_bytes());
    }
    Ok(native::render(&mut file, &pyramid, Version::V3, request, &service, &EncodeOptions::default())?.bytes)
}

/// What this thread, the only one, has run so far. Only Linux tells; elsewhere it is 0.
fn cpu_ms() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    times.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}
