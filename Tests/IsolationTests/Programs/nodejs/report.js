console.log(process.report.excludeNetwork, process.features.inspector);
