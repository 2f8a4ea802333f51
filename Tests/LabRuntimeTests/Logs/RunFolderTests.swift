import Testing

@testable import LabRuntime
@testable import Topology

struct RunFolderTests {
    @Test func `logs of the lab's own processes are called as no node can be`() throws {
        let folder = RunFolder("run")
        for path in [folder.captureLog, folder.starterLog] {
            let name = try #require(path.split(separator: "/").last?.split(separator: ".").first)
            #expect(name.utf8.count > NameRule.interface.maximumLength, "\(name)")
        }
        #expect(folder.captureLog != folder.starterLog)
    }
}
