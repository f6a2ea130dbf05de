"""Names and streets that made-up people are put together from: Norwegian, Sámi, and from elsewhere."""

from __future__ import annotations

# fmt: off
GIVEN_NAMES = (
    "Åse", "Bjørn", "Silje", "Ørjan", "Marit", "Kåre", "Ingrid", "Torbjørn", "Sølvi", "Håkon", "Anne", "Ståle",
    "Randi", "Geir", "Liv", "Øyvind", "Kari", "Arne", "Solveig", "Jostein", "Bjørg", "Magnus", "Hanne", "Terje",
    "Åshild", "Jonas", "Turid", "Sigurd", "Grethe", "Tor", "Ragnhild", "Eirik", "Mette", "Pål", "Tone", "Vidar",
    "Gunn", "Åge", "Eli", "Lars", "Nora", "Mathias", "Emma", "Sondre", "Thea", "Jørgen", "Ida", "Asbjørn",
    "Astrid", "Rolf", "Vilde", "Steinar", "Máret", "Ánte", "Áilu", "Elle", "Zofia", "Łukasz", "Nikolina", "Šejla",
    "Milica", "Ahmed", "Yasmin", "Tomáš", "Agnieszka", "Đorđe", "Çağla", "Oleksandr",
)
FAMILY_NAMES = (
    "Tjøstheim", "Fiskå", "Jørpeland", "Bjørheim", "Tau", "Heien", "Nessa", "Barkved", "Østerhus", "Kvame",
    "Solbakk", "Meling", "Tungland", "Holta", "Strand", "Idsø", "Fjelde", "Vatland", "Hansen", "Larsen", "Olsen",
    "Johansen", "Pedersen", "Hidle", "Høie", "Nag", "Botne", "Kleppa", "Håland", "Erøy", "Helle", "Tøtland",
    "Løland", "Runestad", "Viganes", "Aasen", "Øvrebø", "Målandsdal", "Sæbø", "Rødland", "Bergøy", "Lyse",
    "Haukali", "Mæle", "Åmøy", "Gjøse", "Skår", "Gåsland", "Sara", "Utsi", "Näkkäläjärvi", "Šoukkari",
    "Kovačević", "Petrović", "Nowak", "Wójcik", "Nguyễn", "Yılmaz", "Müller", "Dvořák", "Šimić", "Abdullahi",
)
STREETS = (
    "Rådhusgata", "Vågabakken", "Jonsokbergvegen", "Fjordvegen", "Kløvervegen", "Strandvegen", "Leitebakken",
    "Barkvedvegen", "Nordre Strandvei", "Tauvegen", "Bjørheimsvegen", "Solbakkvegen", "Fiskåvegen", "Heiavegen",
    "Sørskårvegen", "Åsvegen", "Ryfylkevegen", "Prestegårdsvegen", "Kyrkjevegen", "Lærargata", "Sjøgata",
    "Holtavegen", "Nessavegen", "Preikestolvegen", "Øksnevadvegen", "Ådnøyvegen",
)
# fmt: on
