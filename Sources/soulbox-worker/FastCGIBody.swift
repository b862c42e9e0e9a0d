import FastCGI
import SoulBoxAPI

/// The body of a FastCGI request as the API reads it.
struct FastCGIBody: BodyReader {
    let request: FastCGIRequest

    var contentLength: Int? { request.contentLength }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodyError) -> Int {
        do {
            return try request.read(into: buffer)
        } catch .bodyTooShort {
            throw .tooShort
        } catch {
            throw .broken
        }
    }
}
