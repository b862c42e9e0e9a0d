console.log(new Date(0).toISOString(), new Date(0).toString(), Intl.DateTimeFormat().resolvedOptions().locale);
