/// The fields of an HTTP service's access log, by their names in its JSON lines. What was not there is absent.
public enum AccessLogField: String, Hashable, Sendable, CaseIterable {
    case time, service, client, clientPort, vip, vipPort, poolMember, memberAddress, memberPort, snatAddress, snatPort
    case method, uri, host, userAgent, xForwardedFor, status, responseSize, serverTime, totalTime, reason, detail, tls
}
