console.log(Buffer.from("ünï"), Buffer.from("aGk=", "base64").toString(), Buffer.poolSize);
