internal import LabRuntime
internal import Mutants

Failoverlab.checkCommandLine()
Mutant.turnOff()
// A lab's own processes first: they must enter namespaces before anything starts a thread.
HiddenVerb.runIfAsked(CommandLine.arguments)
Failoverlab.start()
