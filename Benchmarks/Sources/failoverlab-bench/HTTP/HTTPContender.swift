/// Who passes requests on.
enum HTTPContender: CaseIterable, Hashable {
    case service, nginx, multiplexingService, keepingNginx

    var name: String {
        switch self {
        case .service: "failoverlab, a connection a request"
        case .nginx: "nginx, a connection a request"
        case .multiplexingService: "failoverlab, multiplexing"
        case .keepingNginx: "nginx, upstream keepalive"
        }
    }

    var isService: Bool { self == .service || self == .multiplexingService }
    /// Connections to members carry further requests.
    var keepsConnections: Bool { self == .multiplexingService || self == .keepingNginx }

    /// Whom a service of ours is measured against.
    var reference: HTTPContender { keepsConnections ? .keepingNginx : .nginx }

    /// The program and its arguments; nginx's configuration is written to the folder first.
    func words(folder: String) throws -> [String] {
        let log = "\(folder)/access.log"
        guard isService else {
            return try Nginx.words(Nginx.proxy(keepsConnections: keepsConnections, log: log), folder: folder)
        }
        let command = [CommandLine.arguments[0], "http-service", "--access-log", log]
        return command + (keepsConnections ? ["--multiplexing"] : [])
    }
}

/// nginx in one process without a master, its files in a folder of its own.
enum Nginx {
    static func words(_ configuration: String, folder: String) throws -> [String] {
        let path = "\(folder)/nginx.conf"
        try TextFile.write(configuration, to: path)
        return ["nginx", "-p", folder, "-c", path, "-e", "stderr"]
    }

    /// Answers every request with a hundred bytes.
    static let member = """
        \(common)
        http {
            access_log off; keepalive_requests 1000000000; \(folders)
            server {
                listen \(HTTPPath.memberAddress):80 backlog=4096;
                location / { return 200 "\(String(repeating: "0123456789", count: 10))"; }
            }
        }
        """

    /// A reverse proxy that writes the access log's usual fields of ours as JSON, and like ours many lines by one call: as
    /// Debian configures it, it would make a call a request.
    static func proxy(keepsConnections: Bool, log: String) -> String {
        """
        \(common)
        http {
            log_format json escape=json '{"time":"$time_iso8601","client":"$remote_addr","clientPort":$remote_port,'
                '"vip":"$server_addr","vipPort":$server_port,"member":"$upstream_addr","method":"$request_method",'
                '"uri":"$request_uri","host":"$host","userAgent":"$http_user_agent","status":$status,'
                '"responseSize":$body_bytes_sent,"serverTime":"$upstream_response_time","totalTime":$request_time}';
            access_log \(log) json buffer=64k flush=1s; keepalive_requests 1000000000; keepalive_timeout 120s; \(folders)
            upstream members {
                server \(HTTPPath.memberAddress):80;
                \(keepsConnections ? "keepalive 256; keepalive_requests 1000;" : "")
            }
            server {
                listen \(HTTPPath.proxyAddress):80 backlog=4096;
                location / {
                    proxy_pass http://members;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    \(keepsConnections ? "proxy_http_version 1.1; proxy_set_header Connection \"\";" : "")
                }
            }
        }
        """
    }

    private static let common = """
        daemon off; master_process off; user root; pid nginx.pid;
        worker_rlimit_nofile 20000;
        events { worker_connections 20000; }
        """

    private static let folders = """
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
        """
}
