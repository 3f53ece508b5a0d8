//! Every octet string that fuzzing has kept still passes what its target asserts.

use std::fs;

use conformance::{fuzzing, vectors};

#[test]
fn every_corpus() {
    for (target, check) in fuzzing::TARGETS {
        let folder = vectors::path("../fuzz/corpus").join(target);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "no corpus for {target}");
        for file in files {
            let octets = fs::read(&file).unwrap();
            let result = std::panic::catch_unwind(|| check(&octets));
            assert!(result.is_ok(), "{}", file.display());
        }
    }
}
