internal import LabRuntime

Failoverlab.checkCommandLine()
// A lab's own processes first: they must enter namespaces before anything starts a thread.
HiddenVerb.runIfAsked(CommandLine.arguments)
Failoverlab.start()
