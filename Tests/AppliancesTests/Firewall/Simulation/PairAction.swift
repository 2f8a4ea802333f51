import Configuration
import LabTime
import PacketText
import Wire

/// Something that is done to the pair.
enum PairAction: Codable {
    /// The inside host opens a connection from a port, through a box.
    case open(port: UInt16, box: Int)
    /// The next step of an FTP client's control connection.
    case transfer(client: Int, box: Int)
    /// A client connects to the port that was announced to another, or to itself.
    case connect(announcedTo: Int, client: Int, box: Int)
    case switchover(box: Int)
    case push(PairPush)
    /// A message of the cross-connect comes once more.
    case replay(bytes: [UInt8], box: Int)
    /// A box is no more. What is on its way from it on the cross-connect may go with it, and where its power is gone, the
    /// cable's carrier at the other end.
    case crash(box: Int, losesMessages: Bool, losesCarrier: Bool)
    case start(box: Int)
    case links(PairLinks)
    /// A link's carrier at a box.
    case carrier(port: Int, isUp: Bool, box: Int)
}

extension PairAction: CustomStringConvertible {
    var description: String {
        switch self {
        case .open(let port, let box): "open \(port) through \(box)"
        case .transfer(let client, let box): "control connection of client \(client) through \(box)"
        case .connect(let owner, let client, let box):
            "client \(client) connects to the port of client \(owner) through \(box)"
        case .switchover(let box): "switchover of \(box)"
        case .push(let push): "\(push)"
        case .replay(let bytes, let box): "replay to \(box): \(PacketText().text(of: bytes, detail: .brief))"
        case .crash(let box, let losesMessages, let losesCarrier):
            "crash of \(box)" + (losesMessages ? ", its messages are lost" : "")
                + (losesCarrier ? ", the cross-connect is without carrier" : "")
        case .start(let box): "start of \(box)"
        case .links(let links):
            "loss \(links.loss), copies \(links.duplication), delay \(links.delay), up \(links.isUp), apart \(links.isApart)"
        case .carrier(let port, let isUp, let box):
            "carrier \(isUp ? "up" : "down") on \(FirewallLab.portNames[port]) of \(box)"
        }
    }
}
