//! The HTTP service over a bucket in memory: what it asks of its host, and what it answers.

use std::collections::HashMap;
use std::rc::Rc;

use azulejo::Settings;
use azulejo::service::{Exchange, Gate, Holding, Refusal, Reply, Service};
use serde_json::Value;

use super::support::root;

type Work = Box<dyn Fn(&mut Host)>;

/// A host whose files, caches and clock are in memory.
#[derive(Default)]
struct Host {
    /// Etag, bytes, ms since 1970.
    files: HashMap<String, (String, Vec<u8>, u64)>,
    kept: HashMap<String, Vec<u8>>,
    beside: HashMap<String, (String, Vec<u8>)>,
    /// Kinds of all asks of the last request.
    asked: Vec<String>,
    /// What is done before an ask of this kind, the first time.
    before: Option<(&'static str, Work)>,
    /// What is refused.
    refuses: Option<(&'static str, Refusal)>,
    /// Images that the host has opened, by what it says of them.
    images: HashMap<String, String>,
    now: f64,
}

#[derive(Debug)]
struct Answered {
    status: u64,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    told: Value,
    /// The code of the failure that broke the body off.
    broken: Option<String>,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("www/samples").join(name)).unwrap()
}

fn service(holding: Holding, variables: &[(&str, &str)]) -> Rc<Service> {
    let given: Vec<(String, String)> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Rc::new(Service::new(holding, Settings::from_variables(&given), true, &Gate::default()))
}

fn bucket() -> Rc<Service> {
    service(Holding::Bucket, &[])
}

impl Host {
    fn of(names: &[&str]) -> Self {
        let mut host = Self { now: 1_800_000_000_000.0, ..Self::default() };
        names.iter().for_each(|name| host.put(name, "one", sample(name)));
        host
    }

    fn put(&mut self, key: &str, etag: &str, bytes: Vec<u8>) {
        self.files.insert(key.to_owned(), (etag.to_owned(), bytes, 1_700_000_000_000));
    }

    fn get(&mut self, service: &Rc<Service>, path: &str) -> Answered {
        self.ask(service, "GET", path, ["", "", ""]).expect("an answer")
    }

    /// `headers` are Accept, If-None-Match and If-Modified-Since. `None` if the path is left to others.
    fn ask(&mut self, service: &Rc<Service>, method: &str, path: &str, headers: [&str; 3]) -> Option<Answered> {
        let lines = format!("{method}\nhttps://host{path}\n{}", headers.join("\n"));
        self.run(Exchange::new(service, &lines, self.now))
    }

    fn run(&mut self, mut exchange: Exchange) -> Option<Answered> {
        self.asked.clear();
        let mut answered: Option<Answered> = None;
        let mut held = HashMap::new();
        loop {
            self.now += 5.0;
            let asks: Vec<Value> = serde_json::from_str(&exchange.step(self.now)).unwrap();
            assert!(!asks.is_empty(), "it waits for nothing: {:?}", self.asked);
            for ask in asks {
                let (kind, number) = (ask["kind"].as_str().unwrap().to_owned(), ask["number"].as_u64().unwrap() as u32);
                self.asked.push(kind.clone());
                if self.before.as_ref().is_some_and(|(of, _)| *of == kind) {
                    let (_, work) = self.before.take().unwrap();
                    work(self);
                }
                match kind.as_str() {
                    "done" => return answered,
                    "elsewhere" => {}
                    "keep" => {
                        self.kept.insert(ask["name"].as_str().unwrap().to_owned(), exchange.take(number).unwrap());
                    }
                    "keep-index" => {
                        let (key, etag) = (ask["key"].as_str().unwrap().to_owned(), ask["etag"].as_str().unwrap().to_owned());
                        self.beside.insert(key, (etag, exchange.take(number).unwrap()));
                    }
                    "answer" => {
                        let parts: Vec<String> = ask["headers"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect();
                        let headers = parts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
                        let bytes = match (ask["held"].as_u64(), ask["text"].as_str()) {
                            (Some(held_by), _) => held.remove(&(held_by as u32)).unwrap(),
                            (_, Some(text)) => text.as_bytes().to_vec(),
                            _ => exchange.take(number).unwrap_or_default(),
                        };
                        if let Some(name) = ask["keep"].as_str() {
                            self.kept.insert(name.to_owned(), bytes.clone());
                        }
                        let body = if ask["silent"] == true { Vec::new() } else { bytes };
                        assert!(answered.is_none(), "two answers");
                        answered = Some(Answered { status: ask["status"].as_u64().unwrap(), headers, body, told: ask, broken: None });
                    }
                    "end" => answered.as_mut().unwrap().broken = ask["code"].as_str().map(str::to_owned),
                    _ => {
                        let reply = match &self.refuses {
                            Some((of, refusal)) if *of == kind => Err(refusal.clone()),
                            _ => self.reply(&kind, &ask, number, &mut exchange, &mut held, &mut answered),
                        };
                        exchange.reply(number, reply);
                    }
                }
            }
        }
    }

    /// Replies until it asks for this. The number of that ask; `None` if it is over before.
    fn until(&mut self, exchange: &mut Exchange, kind: &str) -> Option<u32> {
        let (mut held, mut answered) = (HashMap::new(), None);
        loop {
            let asks: Vec<Value> = serde_json::from_str(&exchange.step(self.now)).unwrap();
            for ask in asks {
                let (of, number) = (ask["kind"].as_str().unwrap(), ask["number"].as_u64().unwrap() as u32);
                match of {
                    _ if of == kind => return Some(number),
                    "done" => return None,
                    "keep" | "answer" => {}
                    _ => {
                        let reply = self.reply(of, &ask, number, exchange, &mut held, &mut answered);
                        exchange.reply(number, reply);
                    }
                }
            }
        }
    }

    fn reply(
        &mut self,
        kind: &str,
        ask: &Value,
        number: u32,
        exchange: &mut Exchange,
        held: &mut HashMap<u32, Vec<u8>>,
        answered: &mut Option<Answered>,
    ) -> Result<Reply, Refusal> {
        let text = |name: &str| ask[name].as_str().unwrap();
        let count = |name: &str| ask[name].as_u64().unwrap() as usize;
        let line = |(etag, bytes, ms): &(String, Vec<u8>, u64)| format!("{etag}\n{}\n{ms}", bytes.len());
        let none = || Ok(Reply::default());
        let of_text = |text: String| Ok(Reply { text: Some(text), bytes: None });
        match kind {
            // Files that lie elsewhere have a secret in their names.
            "resolve" => of_text(format!("secret:{}", text("key"))),
            "look" => self.files.get(text("key")).map_or_else(none, |file| of_text(line(file))),
            "begin" => self
                .files
                .get(text("key"))
                .map_or_else(none, |file| Ok(Reply { text: Some(line(file)), bytes: Some(file.1[..file.1.len().min(count("length"))].to_vec()) })),
            "read" => match self.files.get(text("key")) {
                Some((etag, bytes, _)) if etag == text("etag") => {
                    Ok(Reply { text: None, bytes: Some(bytes[count("offset")..count("offset") + count("length")].to_vec()) })
                }
                _ => Err(Refusal::new("source-changed", 503, "The image was replaced while it was read. Try again.")),
            },
            "find" => self.kept.get(text("name")).map_or_else(none, |bytes| {
                held.insert(number, bytes.clone());
                of_text(bytes.len().to_string())
            }),
            "recall" => Ok(Reply { text: None, bytes: self.kept.get(text("name")).cloned() }),
            "index" => Ok(Reply { text: None, bytes: self.beside.get(text("key")).filter(|(etag, _)| etag == text("etag")).map(|(_, bytes)| bytes.clone()) }),
            "pause" => {
                self.now += ask["ms"].as_f64().unwrap();
                none()
            }
            "list" => {
                let mut keys: Vec<&String> = self.files.keys().filter(|key| key.starts_with(text("prefix"))).collect();
                keys.sort();
                let fields: Vec<String> =
                    keys.iter().flat_map(|key| [self.files[*key].1.len().to_string(), "2027-01-15T08:00:00.000Z".to_owned(), (*key).clone()]).collect();
                of_text(format!("next\0{}", fields.join("\0")))
            }
            "piece" => {
                answered.as_mut().unwrap().body.extend(exchange.take(number).unwrap());
                none()
            }
            "open" => {
                let documents: Vec<&str> = ask["documents"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
                documents.iter().find_map(|name| self.images.get(*name)).map_or_else(none, |lines| of_text(lines.clone()))
            }
            "describe" if ask["lines"] == true => of_text("level2\nwidth\t640\nscale_factors\t1\t2\nodd name\tx\nprofile\ta<b".to_owned()),
            "describe" => of_text(format!("level1\n{{\"id\":\"{}\"}}", text("id"))),
            "render" => {
                held.insert(number, text("request").as_bytes().to_vec());
                of_text(format!("{}\nslow;dur=5\n\n", text("request").len()))
            }
            other => panic!("no reply to {other}"),
        }
    }
}

const TILE: &str = "/iiif/3/rocket.jpg/0,0,200,200/100,/0/default.png";

#[test]
fn an_image_is_made_once_and_then_kept() {
    let (service, mut host) = (bucket(), Host::of(&["rocket.jpg"]));
    let made = host.get(&service, TILE);
    assert_eq!((made.status, made.header("content-type")), (200, Some("image/png")));
    assert_eq!(made.header("content-length"), Some(made.body.len().to_string().as_str()));
    assert!(made.header("server-timing").unwrap().contains("cache;desc=\"miss\""), "{made:?}");
    assert_eq!(image::GenericImageView::dimensions(&image::load_from_memory(&made.body).unwrap()), (100, 100));
    assert_eq!(host.asked[..2], ["recall", "begin"]);
    assert_eq!(&host.asked[host.asked.len() - 1], "done");
    let kept = host.get(&service, TILE);
    assert_eq!(kept.body, made.body);
    assert!(kept.header("server-timing").unwrap().contains("cache;desc=\"hit\""));
    // What is kept is sent only if the file is still the same.
    assert_eq!(host.asked, ["find", "look", "answer", "done"]);
    // Another service knows nothing but what was kept, and of that opens the file.
    let again = host.get(&bucket(), &TILE.replace("100,", "90,"));
    assert_eq!(again.status, 200);
    assert!(!host.asked.contains(&"begin".to_owned()), "{:?}", host.asked);
    let anew = host.get(&service, &format!("{TILE}?cache=false"));
    assert_eq!((anew.header("cache-control"), &anew.body), (Some("no-store"), &made.body));
    assert!(!host.asked.iter().any(|kind| ["find", "recall", "keep"].contains(&kind.as_str())), "{:?}", host.asked);
}

#[test]
fn who_has_it_gets_304_and_head_gets_no_body() {
    let (service, mut host) = (bucket(), Host::of(&["rocket.jpg"]));
    let made = host.get(&service, TILE);
    let etag = made.header("etag").unwrap().to_owned();
    let known = host.ask(&service, "GET", TILE, ["", &etag, ""]).unwrap();
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(etag.as_str())));
    assert_eq!(made.header("last-modified"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    let head = host.ask(&service, "HEAD", &TILE.replace("100,", "80,"), ["", "", ""]).unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    // What HEAD has made is kept.
    let after = host.get(&service, &TILE.replace("100,", "80,"));
    assert_eq!(head.header("content-length"), after.header("content-length"));
    assert!(after.header("server-timing").unwrap().contains("cache;desc=\"hit\""));
}

#[test]
fn a_file_that_is_replaced_is_read_anew() {
    let service = bucket();
    let mut host = Host::of(&["rocket.jpg"]);
    let old = host.get(&service, TILE);
    let swap = |host: &mut Host| {
        let bytes = sample("astronaut.png");
        host.put("rocket.jpg", "two", bytes);
    };
    // Before anything is read, and between two reads.
    for kind in ["look", "read"] {
        let (service, mut host) = (bucket(), Host::of(&["rocket.jpg"]));
        if kind == "look" {
            host.get(&service, TILE);
        }
        host.before = Some((kind, Box::new(swap)));
        let new = host.get(&service, TILE);
        assert_eq!(new.status, 200, "{kind}");
        assert!(new.body != old.body && new.header("etag") != old.header("etag"), "{kind}");
        let mut other = Host::of(&[]);
        swap(&mut other);
        assert_eq!(other.get(&bucket(), TILE).body, new.body, "{kind}");
    }
    // One that is deleted is gone.
    host.before = Some(("look", Box::new(|host| host.files.clear())));
    assert_eq!(host.get(&service, TILE).status, 404);
}

#[test]
fn what_the_host_refuses_is_told() {
    let path = "/iiif/3/rocket.jpg/full/max/0/default.png";
    for (kind, code, status) in [("begin", "source-read", 503), ("read", "source-read", 503), ("begin", "internal", 500)] {
        let mut host = Host::of(&["rocket.jpg"]);
        host.refuses = Some((kind, Refusal::new(code, status, "It is so.")));
        let answer = host.ask(&bucket(), "GET", path, ["application/json", "", ""]).unwrap();
        assert_eq!(answer.text(), format!("{{\"code\":\"{code}\",\"error\":\"It is so.\",\"status\":{status}}}\n"));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"), "{code}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    // A cache that fails has nothing.
    let mut host = Host::of(&["rocket.jpg"]);
    host.refuses = Some(("recall", Refusal::new("internal", 500, "It is so.")));
    assert_eq!(host.get(&bucket(), path).status, 200);
}

#[test]
fn renders_wait_for_each_other_and_stored_tiles_do_not() {
    let (service, mut host) = (bucket(), Host::of(&["rocket.jpg", "retina-pyramid.tif"]));
    for name in ["rocket.jpg", "retina-pyramid.tif"] {
        assert_eq!(host.get(&service, &format!("/iiif/3/{name}/info.json")).status, 200);
    }
    let now = host.now;
    let begin = |path: &str| Exchange::new(&service, &format!("GET\nhttps://host/iiif/3/{path}"), now);
    let render = |x: u32| begin(&format!("rocket.jpg/{x},0,200,200/100,/0/default.png"));
    let [mut first, mut second, mut third, mut fourth] = [0, 1, 2, 3].map(render);
    // Both are open, so what they read is pixels.
    assert!(host.until(&mut first, "read").is_some() && host.until(&mut second, "read").is_some());
    let pause = host.until(&mut third, "pause").expect("two are under way");
    let waits = host.until(&mut fourth, "pause").expect("the third is before it");
    third.reply(pause, Ok(Reply::default()));
    let pause = host.until(&mut third, "pause").expect("they still are");
    let tile = host.run(begin("retina-pyramid.tif/0,0,256,256/max/0/default.jpg")).unwrap();
    assert!(tile.status == 200 && tile.header("server-timing").unwrap().contains("passthrough;desc=\"yes\""), "{tile:?}");
    assert!(!host.asked.contains(&"pause".to_owned()), "{:?}", host.asked);
    // One that is over has given its place back.
    drop(first);
    third.reply(pause, Ok(Reply::default()));
    assert!(host.until(&mut third, "read").is_some());
    host.now += 21_000.0;
    fourth.reply(waits, Ok(Reply::default()));
    let busy = host.run(fourth).unwrap();
    assert_eq!((busy.status, busy.told["code"].as_str(), busy.header("retry-after")), (503, Some("busy"), Some("1")));
    // Of one that the runtime has dropped nothing is heard.
    assert!(!second.is_abandoned(now + 50_000.0) && second.is_abandoned(now + 70_000.0));
    let images = Exchange::new(&self::service(Holding::Images, &[]), "GET\nhttps://host/iiif/3/doc/info.json", now);
    assert!(!images.is_abandoned(now + 70_000.0), "its host may take any time");
}

#[test]
fn a_large_answer_comes_in_pieces_and_breaks_off_if_it_must() {
    let path = "/iiif/3/rocket.jpg/full/%5E2500,/0/default.tif";
    let (service, mut host) = (bucket(), Host::of(&["rocket.jpg"]));
    let whole = host.get(&service, path);
    assert_eq!((whole.status, whole.header("content-length"), whole.told["pieces"].as_bool()), (200, None, Some(true)));
    assert!(whole.broken.is_none() && whole.body.len() > 4 << 20);
    // A slow client takes each part in time, so that the request does not look dropped.
    let parts = host.asked.iter().filter(|kind| *kind == "piece").count();
    assert!(parts >= whole.body.len() / (64 << 10), "{parts}");
    assert_eq!(host.asked[host.asked.len() - 2..], ["end", "done"]);
    let mut slow = Exchange::new(&service, &format!("GET\nhttps://host{path}"), host.now);
    for _ in 0..20 {
        let part = host.until(&mut slow, "piece").expect("there is more");
        host.now += 4_900.0;
        assert!(!slow.is_abandoned(host.now));
        assert!(slow.take(part).is_some_and(|bytes| bytes.len() <= 64 << 10));
        slow.reply(part, Ok(Reply::default()));
    }
    // Nobody reads it.
    host.refuses = Some(("piece", Refusal::new("busy", 503, "Nobody reads the answer.")));
    assert_eq!(host.get(&service, path).broken.as_deref(), Some("busy"));
    host.refuses = None;
    let head = host.ask(&service, "HEAD", path, ["", "", ""]).unwrap();
    assert_eq!((head.status, host.asked.contains(&"piece".to_owned())), (200, false));
}

#[test]
fn other_paths() {
    let (service, mut host) = (bucket(), Host::of(&["rocket.jpg"]));
    assert_eq!(host.get(&service, "/iiif/3/rocket.jpg").header("location"), Some("https://host/iiif/3/rocket.jpg/info.json"));
    assert_eq!(host.get(&service, "/iiif/3/nothing/full/x/0/y.z").status, 404);
    assert_eq!(host.get(&service, "/iiif/3/rocket.jpg/full/x/0/default.jpg").status, 400);
    let nowhere = host.get(&service, "/nowhere");
    assert!(nowhere.status == 404 && nowhere.text().contains("/images.json"));
    assert!(!host.get(&service, "/iiif/3/a/info.json").text().is_empty());
    assert_eq!(host.ask(&service, "POST", TILE, ["", "", ""]).unwrap().header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(host.ask(&service, "OPTIONS", TILE, ["", "", ""]).unwrap().status, 204);
    assert_eq!(host.get(&service, &format!("/iiif/3/{}", "x".repeat(17 << 10))).status, 414);
    let health: Value = serde_json::from_str(&host.get(&service, "/health").text()).unwrap();
    assert_eq!(health["status"], "ok");
    host.put("a b/ü.tif", "x", vec![0; 3]);
    host.put("rocket.jpg.azulejo-index", "x", vec![0; 3]);
    host.put("folder/", "x", Vec::new());
    let list: Value = serde_json::from_str(&host.get(&service, "/images.json?limit=5").text()).unwrap();
    let names: Vec<&str> = list["images"].as_array().unwrap().iter().map(|image| image["name"].as_str().unwrap()).collect();
    assert_eq!((names, list["cursor"].as_str()), (vec!["a b/ü.tif", "rocket.jpg"], Some("next")));
    assert_eq!((list["images"][0]["id"].as_str(), list["images"][0]["bytes"].as_u64()), (Some("a%20b%2F%C3%BC.tif"), Some(3)));
    // Files that the host finds have no list, and no path of the service's own.
    let own = self::service(Holding::Files, &[]);
    for path in ["/images.json", "/health", "/nowhere"] {
        let answer = host.get(&own, path);
        assert!(answer.status == 404 && !answer.text().contains("/images.json"), "{path}");
    }
    let wrong = self::service(Holding::Bucket, &[("MEMORY", "x")]);
    for path in [TILE, "/health", "/nowhere"] {
        assert!(host.get(&wrong, path).text().contains("MEMORY"), "{path}");
    }
}

#[test]
fn what_is_learnt_of_a_jpeg_is_kept_beside_it_if_that_is_allowed() {
    let tile = |x: u32| format!("/iiif/3/retina.jpg/{x},900,256,256/max/0/default.png");
    for (variables, beside) in [(&[][..], false), (&[("WRITE_INDEX", "on")][..], true)] {
        let mut host = Host::of(&["retina.jpg"]);
        host.get(&service(Holding::Bucket, variables), &tile(0));
        assert_eq!(host.beside.contains_key("retina.jpg"), beside);
        if beside {
            host.kept.clear();
            host.get(&service(Holding::Bucket, variables), &tile(300));
            assert!(host.asked.contains(&"index".to_owned()), "{:?}", host.asked);
        }
    }
}

#[test]
fn images_that_the_host_has_opened() {
    let service = service(Holding::Images, &[]);
    let mut host = Host::of(&[]);
    let lines = ["640", "427", "", "", "", "true", "jpg png", "level2", "v1", "1700000000000", "2", "true", "doc"].join("\n");
    host.images.insert("doc".to_owned(), lines);
    host.images.insert("odd".to_owned(), String::new());
    assert!(host.ask(&service, "POST", "/nowhere", ["", "", ""]).is_none());
    let image = host.get(&service, "/iiif/3/doc;2/full/100,/0/default.jpg");
    assert_eq!((image.status, image.text().as_str()), (200, "full/100,/0/default.jpg"));
    assert_eq!((image.header("server-timing"), image.header("content-type")), (Some("slow;dur=5"), Some("image/jpeg")));
    assert_eq!(host.ask(&service, "GET", "/iiif/3/doc;2/full/100,/0/default.jpg", ["", image.header("etag").unwrap(), ""]).unwrap().status, 304);
    let info = host.get(&service, "/iiif/3/doc;2/info.json");
    assert_eq!(info.text(), "{\"id\":\"https://host/iiif/3/doc;2\"}");
    let links: Vec<&str> = info.headers.iter().filter(|(name, _)| name == "link").map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        links,
        [
            "<http://iiif.io/api/image/3/level1.json>;rel=\"profile\"",
            "<https://host/iiif/3/doc/info.json>;rel=\"prev\"",
            "<https://host/iiif/3/doc%3B3/info.json>;rel=\"next\""
        ]
    );
    let xml = host.get(&service, "/iiif/1.0/doc/info.xml").text();
    assert!(xml.contains("<scale_factors><scale_factor>1</scale_factor><scale_factor>2</scale_factor></scale_factors>"), "{xml}");
    assert!(xml.contains("<profile>a&lt;b</profile>") && !xml.contains("odd name"), "{xml}");
    // A document of the host's that is none is not the client's fault.
    assert_eq!(host.get(&service, "/iiif/3/odd/info.json").status, 500);
    assert_eq!(host.get(&service, "/iiif/3/odd").status, 303);
    assert_eq!(host.get(&service, "/iiif/3/none/info.json").status, 404);
    // Of a file that cannot be opened the base URI leads to what is wrong.
    host.refuses = Some(("open", Refusal::new("source-unsupported", 501, "It is so.")));
    assert_eq!(host.get(&service, "/iiif/3/doc").status, 303);
    assert_eq!(host.get(&service, "/iiif/3/doc/info.json").status, 501);
}

#[test]
fn a_file_is_known_by_its_name_at_the_host() {
    let service = service(Holding::Files, &[]);
    let mut host = Host::of(&[]);
    host.put("secret:rocket.jpg", "one", sample("rocket.jpg"));
    let mut bucket = Host::of(&["rocket.jpg"]);
    let (own, other) = (host.get(&service, TILE), bucket.get(&self::bucket(), TILE));
    assert_eq!((own.status, &own.body, own.header("etag")), (200, &other.body, other.header("etag")));
    assert_eq!(host.asked[0], "resolve");
    // What is kept of it is under other names than of a file that is only called the same.
    assert!(host.kept.len() == 2 && bucket.kept.len() == 2 && host.kept.keys().all(|name| !bucket.kept.contains_key(name)));
    assert!(!format!("{own:?}").contains("secret"));
    assert!(host.get(&service, TILE).header("server-timing").unwrap().contains("cache;desc=\"hit\""));
    assert_eq!(host.get(&service, "/iiif/3/none/info.json").status, 404);
}
