internal import NIOCore
internal import SoulBoxModel

/// Lines of JSON between gateways.
final class PeerLines: ByteToMessageDecoder {
    typealias InboundOut = JSONObject

    private struct Malformed: Error {}
    /// A piece of output, escaped, is well below.
    private static let longest = 2 << 20

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            guard buffer.readableBytes <= PeerLines.longest else { throw Malformed() }
            return .needMoreData
        }
        let count = end - buffer.readerIndex
        guard let bytes = buffer.readBytes(length: count), buffer.readInteger(as: UInt8.self) != nil,
            let object = try JSONParser.parse(bytes).objectValue
        else { throw Malformed() }
        context.fireChannelRead(PeerLines.wrapInboundOut(object))
        return .continue
    }
}

extension Channel {
    /// Sends a line.
    func send(line: JSONValue) {
        var buffer = allocator.buffer(bytes: line.bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        writeAndFlush(buffer, promise: nil)
    }
}
