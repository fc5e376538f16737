//! The setting OBJECT_KEY.

/// From identifiers to keys in the storage and back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectKey {
    before: String,
    after: String,
}

impl ObjectKey {
    /// Reads a key with `{identifier}` once in it.
    pub fn parse(text: &str) -> Option<Self> {
        const HOLE: &str = "{identifier}";
        let (before, after) = text.split_once(HOLE).filter(|(_, after)| !after.contains(HOLE))?;
        Some(Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The key of an identifier.
    pub fn key(&self, identifier: &str) -> String {
        [&self.before, identifier, &self.after].concat()
    }

    /// The identifier of a key, if one leads to it.
    pub fn identifier<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str()).filter(|identifier| !identifier.is_empty())
    }

    /// What the keys of all identifiers that begin so begin with.
    pub fn prefix(&self, identifiers: &str) -> String {
        [&self.before, identifiers].concat()
    }
}

#[test]
fn keys_and_identifiers() {
    let maps = ObjectKey::parse("maps/{identifier}.tif").unwrap();
    assert_eq!((maps.key("1850"), maps.prefix("18")), ("maps/1850.tif".to_owned(), "maps/18".to_owned()));
    assert_eq!([maps.identifier("maps/1850.tif"), maps.identifier("maps/.tif"), maps.identifier("1850.tif")], [Some("1850"), None, None]);
    assert_eq!(ObjectKey::parse("{identifier}"), Some(ObjectKey::default()));
    assert_eq!([ObjectKey::parse("maps"), ObjectKey::parse("{identifier}{identifier}")], [None, None]);
}
