//! The version of a certificate. rustls takes version 3 only, and its own words for that (`UnsupportedCertVersion`)
//! help nobody. Reads just enough of DER to say it; never decides whether a certificate is good.

/// 1, 2 or 3, or `None` where this is no certificate.
///
/// `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] EXPLICIT INTEGER DEFAULT v1, serialNumber INTEGER, … } … }`
pub(super) fn version(der: &[u8]) -> Option<u8> {
    let certificate = content(der, 0x30)?;
    let body = content(certificate, 0x30)?;
    match *body.first()? {
        // The version is left out when it is the default: the serial number comes first.
        0x02 => Some(1),
        0xa0 => match *content(content(body, 0xa0)?, 0x02)? {
            [version] => version.checked_add(1),
            _ => None,
        },
        _ => None,
    }
}

/// The content of the element that starts here, if it has this tag and is whole.
fn content(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (short, rest) = rest.split_first()?;
    if *short < 0x80 {
        return rest.get(..usize::from(*short));
    }
    let count = usize::from(*short & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length
        .iter()
        .fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
    rest.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outer shape, with or without the version element.
    fn shape(version: Option<u8>) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(version) = version {
            body.extend([0xa0, 0x03, 0x02, 0x01, version]);
        }
        body.extend([0x02, 0x01, 0x07]);
        let mut tbs = vec![0x30, u8::try_from(body.len()).unwrap()];
        tbs.extend(body);
        let mut all = vec![0x30, 0x81, u8::try_from(tbs.len()).unwrap()];
        all.extend(tbs);
        all
    }

    #[test]
    fn version_1_is_the_absence_of_a_version() {
        assert_eq!(version(&shape(None)), Some(1));
        assert_eq!(version(&shape(Some(1))), Some(2));
        assert_eq!(version(&shape(Some(2))), Some(3));
    }

    #[test]
    fn a_real_certificate_is_version_3() {
        let made = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        assert_eq!(version(made.cert.der()), Some(3));
    }

    #[test]
    fn every_cut_of_a_certificate_is_refused_without_a_panic() {
        let made = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
        let der = made.cert.der();
        for end in 0..der.len() {
            assert_eq!(version(&der[..end]), None);
        }
        assert_eq!(version(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30]), None);
    }
}
