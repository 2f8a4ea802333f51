internal import Configuration
internal import NIOCore
internal import NIOPosix
internal import Wire

/// A client's connection until a member is found for it; then a relay takes its place.
final class ProxiedClient: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let proxy: TCPProxy
    /// What came before there was a member. SwiftNIO reads a socket to its end once a FIN has arrived, asked or not;
    /// so it is at most what the kernel's receive buffer held.
    private var early: [ByteBuffer] = []
    private var inputHasEnded = false

    init(_ proxy: TCPProxy) {
        self.proxy = proxy
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        guard let members = proxy.accept(channel.remoteAddress) else { return channel.closeWithReset() }
        let proxy = proxy
        channel.closeFuture.whenComplete { _ in proxy.count { $0.open -= 1 } }
        connect(context, members[...])
    }

    private func connect(_ context: ChannelHandlerContext, _ members: ArraySlice<PoolMemberConfiguration>) {
        guard let member = members.first else {
            proxy.count { $0.unserved += 1 }
            return context.channel.closeWithReset()
        }
        ClientBootstrap(group: context.eventLoop)
            .connectTimeout(TimeAmount(TCPProxy.connectTimeout))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: member.address.description, port: Int(member.port))
            .assumeIsolated()
            .whenComplete { [self] result in
                switch result {
                case .success(let memberChannel): relay(context, memberChannel)
                case .failure:
                    proxy.count { $0.memberFailures += 1 }
                    guard context.channel.isActive else { return }
                    connect(context, members.dropFirst())
                }
            }
    }

    private func relay(_ context: ChannelHandlerContext, _ memberChannel: any Channel) {
        // The client may have gone while its member was called.
        guard context.channel.isActive else { return memberChannel.closeWithReset() }
        let (client, member) = RelayHandler.pair()
        do {
            try memberChannel.pipeline.syncOperations.addHandler(member)
            try context.pipeline.syncOperations.addHandler(client)
            client.begin(with: early, inputHasEnded: inputHasEnded)
            member.begin()
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            memberChannel.closeWithReset()
            context.channel.closeWithReset()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        early.append(unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { inputHasEnded = true }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
