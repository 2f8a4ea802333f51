/// The certificate of services that say `tls: on`: self-signed for `lab.failoverlab.test`, on P-256, 2020 to 2120.
///
/// Test material, made with OpenSSL and published here with its private key: it proves nothing about whoever presents it.
/// A certificate of one's own is made and named in the lab file.
enum LabCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIB+zCCAaCgAwIBAgIBATAKBggqhkjOPQQDAjBRMTAwLgYDVQQKDCdGYWlsb3Zl
        ckxhYiB0ZXN0IG1hdGVyaWFsLCBub3QgYSBzZWNyZXQxHTAbBgNVBAMMFGxhYi5m
        YWlsb3ZlcmxhYi50ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAw
        WjBRMTAwLgYDVQQKDCdGYWlsb3ZlckxhYiB0ZXN0IG1hdGVyaWFsLCBub3QgYSBz
        ZWNyZXQxHTAbBgNVBAMMFGxhYi5mYWlsb3ZlcmxhYi50ZXN0MFkwEwYHKoZIzj0C
        AQYIKoZIzj0DAQcDQgAEKPlKENlWuQbWAMaA2exXpa4hU7bctIbJU0wxlAf5Omyc
        uCvI1sASToT4Pay9fCxPVb96mp3FVEYZKBHaIlDgxKNnMGUwDwYDVR0TAQH/BAUw
        AwEB/zAzBgNVHREELDAqghRsYWIuZmFpbG92ZXJsYWIudGVzdIISKi5mYWlsb3Zl
        cmxhYi50ZXN0MB0GA1UdDgQWBBRzsjG1sYdS9tVj68bsXAZwL6ppkjAKBggqhkjO
        PQQDAgNJADBGAiEAlOHQM5H1pdE7JOuDQgKeZYXr4obpCjpNkSDlTC/1GpICIQDc
        TC8vYFOPAAR5kopdl7AltNcv5OboQysXRJ6j8kVLFw==
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1Lplf8TF8am6KebS
        6FKjVhSk6qBdPTKsaUlKGrpZu9mhRANCAAQo+UoQ2Va5BtYAxoDZ7FelriFTtty0
        hslTTDGUB/k6bJy4K8jWwBJOhPg9rL18LE9Vv3qancVURhkoEdoiUODE
        -----END PRIVATE KEY-----
        """
}
