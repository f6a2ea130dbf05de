"""What we send: intake of EHF files and their PDFs, documents, payments. Decides no channel."""
