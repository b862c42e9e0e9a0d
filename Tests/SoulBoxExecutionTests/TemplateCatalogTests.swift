import IsolationProtocol
import SoulBoxExecution
import SoulBoxModel
import Synchronization
import Testing

@Suite("Template catalog")
struct TemplateCatalogTests {
    @Test("asks once, and again for what it does not know at most once a second")
    func caches() throws {
        let calls = Mutex(0)
        let catalog = TemplateCatalog { () throws(IsolationError) in
            calls.withLock { $0 += 1 }
            return []
        }
        for _ in 0..<100 { #expect(try catalog.template(named: "none", for: .python) == nil) }
        #expect(calls.withLock { $0 } == 1)
    }

    @Test("tells that the service was never there")
    func unavailable() {
        let catalog = TemplateCatalog { () throws(IsolationError) in throw IsolationError(.unavailable, "x") }
        #expect(throws: IsolationError(.unavailable, "x")) { try catalog.templates() }
    }
}
