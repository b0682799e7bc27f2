// What a chart says, in the page's language; a test holds that both languages say everything.

export const WORDS = {
  en: {
    range: "Range", "5m": "5 min", "1h": "1 h", "24h": "24 h", "7d": "7 days", "30d": "30 days", "1y": "1 year", all: "All",
    custom: "From – to", from: "From", to: "To", show: "Show", live: "Live", back: "Back",
    earlier: "Earlier", later: "Later", closer: "Zoom in", wider: "Zoom out",
    loading: "Loading…", nothing: "No reading here.", failed: "The chart could not be loaded:",
    raw: "every reading", every: "every {width}", clock: "your clock: {zone}", since: "time since the start", along: "along {channel}",
    table: "The same numbers as a table", time: "Time", keys: "Keyboard and touch", values: "Values",
    lowhigh: "{low} to {high}", gap: "gap", out: "left out", left: "left out: {reason}",
    download: "Download", picture: "Picture (PNG)", failedFile: "It could not be downloaded:",
    chart: "Chart of {channels}", panel: "{channels}", yes: "yes", no: "no", none: "none", many: "too many values to draw",
    channels: "Channels", first: "The first {n} of {all} rows; a file has them all.",
    help: "← → move the pointer, with Shift the span · + and − zoom · Enter begins and ends a span · Backspace goes back · Home and End: start and end · L: live. Drag to zoom, with Shift to move; wheel and two fingers zoom, one finger moves; double-click goes back.",
    marking: "A span begins at {at}. Move on, then Enter.",
    mode: "Dragging", zooming: "Zoom", leaving: "Leave out", bounding: "Start and end", splitting: "Split",
    leaveHint: "Drag over what should not count.", boundHint: "Drag the start or the end.", splitHint: "Click where to cut.",
    reason: "Reason", leave: "Leave it out", move: "Move", split: "Split here", cancel: "Cancel", at: "At",
    refused: "It could not be done:", start: "Start", end: "End", by: "Along", byTime: "Time",
    changed: "Somebody changed the run meanwhile. Reload the page and try again.",
    reference: "reference", delta: "Difference to {name}", timeDelta: "Time behind {name}", elapsed: "Time since the start",
  },
  fr: {
    range: "Période", "5m": "5 min", "1h": "1 h", "24h": "24 h", "7d": "7 jours", "30d": "30 jours", "1y": "1 an", all: "Tout",
    custom: "De – à", from: "De", to: "À", show: "Afficher", live: "En direct", back: "Retour",
    earlier: "Avant", later: "Après", closer: "Agrandir", wider: "Réduire",
    loading: "Chargement…", nothing: "Aucune mesure ici.", failed: "La courbe n’a pas pu être chargée :",
    raw: "chaque mesure", every: "toutes les {width}", clock: "votre heure : {zone}", since: "temps depuis le départ", along: "selon {channel}",
    table: "Les mêmes chiffres en tableau", time: "Heure", keys: "Clavier et toucher", values: "Valeurs",
    lowhigh: "de {low} à {high}", gap: "manque", out: "écarté", left: "écarté : {reason}",
    download: "Télécharger", picture: "Image (PNG)", failedFile: "Le téléchargement a échoué :",
    chart: "Courbe de {channels}", panel: "{channels}", yes: "oui", no: "non", none: "rien", many: "trop de valeurs pour être dessinées",
    channels: "Voies", first: "Les {n} premières lignes sur {all} ; un fichier les a toutes.",
    help: "← → déplacent le pointeur, avec Maj la période · + et − agrandissent et réduisent · Entrée commence et finit une sélection · Retour arrière revient · Début et Fin : bords · L : en direct. Glisser pour agrandir, avec Maj pour déplacer ; molette et deux doigts agrandissent, un doigt déplace ; double-clic revient.",
    marking: "La sélection commence à {at}. Avancez, puis Entrée.",
    mode: "En glissant", zooming: "Agrandir", leaving: "Écarter", bounding: "Début et fin", splitting: "Couper",
    leaveHint: "Glissez sur ce qui ne doit pas compter.", boundHint: "Glissez le début ou la fin.", splitHint: "Cliquez où couper.",
    reason: "Raison", leave: "Écarter", move: "Déplacer", split: "Couper ici", cancel: "Annuler", at: "À",
    refused: "Ce n’est pas possible :", start: "Début", end: "Fin", by: "Selon", byTime: "Temps",
    changed: "Quelqu’un a modifié la session entre-temps. Rechargez la page et recommencez.",
    reference: "référence", delta: "Écart avec {name}", timeDelta: "Retard sur {name}", elapsed: "Temps depuis le départ",
  },
};

export const language = document.documentElement.lang.startsWith("fr") ? "fr" : "en";

export function say(word, values = {}) {
  return WORDS[language][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
