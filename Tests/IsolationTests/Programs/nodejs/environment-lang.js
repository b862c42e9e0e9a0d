// env: LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8
console.log(Intl.NumberFormat().resolvedOptions().locale, (1234.5).toLocaleString());
