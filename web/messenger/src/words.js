// What the messenger says, in each language it speaks. `{0}` and `{1}` are filled in, each isolated from the direction of the text around it.

const en = {
  title: 'Chat with us',
  close: 'Close',
  hello: 'Hello! How can we help?',
  name: 'Name',
  email: 'E-mail',
  write: 'Write a message',
  send: 'Send',
  queued: 'You are in line',
  place: 'You are in line, place {0}',
  wait: 'Usually {0}, seldom over {1}',
  opens: 'Nobody is here until {0}. What you write now is answered then.',
  with: 'You are talking with {0}',
  away: '{0} is reconnecting. What you write is kept.',
  typing: '{0} is writing',
  joined: '{0} has joined',
  left: '{0} has left',
  requeued: 'You are in line again',
  moved: 'You are in line for {0}',
  ended: 'The conversation has ended',
  connecting: 'No connection yet. This is the last that is known.',
  stopped: 'This conversation has ended here.',
  fresh: 'New conversation',
  earlier: 'Earlier messages',
  sending: 'Sending',
  kept: 'Not sent yet',
  sent: 'Sent',
  read: 'Read',
  again: 'Try again',
  drop: 'Discard',
  unread: 'New messages: {0}',
  end: 'End',
  sure: 'Really end?',
  reach: 'Your e-mail, so that we can reach you',
  mine: 'E-mail: {0}',
  nobody_there: 'Nobody is here now. Please try again later.',
  closed_until: 'Nobody is here until {0}.',
  queue_full: 'Too many are waiting. Please try again later.',
  too_large: 'This is too long.',
  refused: 'This was not taken.',
};

const de = [
  'Schreiben Sie uns',
  'Schließen',
  'Guten Tag! Wie können wir helfen?',
  'Name',
  'E-Mail',
  'Nachricht schreiben',
  'Senden',
  'Sie sind in der Warteschlange',
  'Sie sind in der Warteschlange, Platz {0}',
  'Meist {0}, selten über {1}',
  'Bis {0} ist niemand da. Was Sie jetzt schreiben, wird dann beantwortet.',
  'Sie sprechen mit {0}',
  '{0} verbindet sich neu. Was Sie schreiben, bleibt erhalten.',
  '{0} schreibt',
  '{0} ist dabei',
  '{0} ist gegangen',
  'Sie sind wieder in der Warteschlange',
  'Sie sind in der Warteschlange für {0}',
  'Das Gespräch ist zu Ende',
  'Noch keine Verbindung. Dies ist der letzte bekannte Stand.',
  'Dieses Gespräch ist hier zu Ende.',
  'Neues Gespräch',
  'Frühere Nachrichten',
  'Wird gesendet',
  'Noch nicht gesendet',
  'Gesendet',
  'Gelesen',
  'Erneut versuchen',
  'Verwerfen',
  'Neue Nachrichten: {0}',
  'Beenden',
  'Wirklich beenden?',
  'Ihre E-Mail, damit wir Sie erreichen',
  'E-Mail: {0}',
  'Jetzt ist niemand da. Bitte versuchen Sie es später.',
  'Bis {0} ist niemand da.',
  'Zu viele warten. Bitte versuchen Sie es später.',
  'Das ist zu lang.',
  'Das wurde nicht angenommen.',
];

const es = [
  'Escríbanos',
  'Cerrar',
  '¡Hola! ¿En qué podemos ayudarle?',
  'Nombre',
  'Correo electrónico',
  'Escriba un mensaje',
  'Enviar',
  'Está en la cola',
  'Está en la cola, puesto {0}',
  'Suele ser {0}, rara vez más de {1}',
  'No hay nadie hasta {0}. Lo que escriba ahora se responderá entonces.',
  'Está hablando con {0}',
  '{0} se está reconectando. Lo que escriba se conserva.',
  '{0} está escribiendo',
  '{0} se ha unido',
  '{0} se ha ido',
  'Está en la cola otra vez',
  'Está en la cola para {0}',
  'La conversación ha terminado',
  'Aún sin conexión. Esto es lo último que se sabe.',
  'Esta conversación ha terminado aquí.',
  'Nueva conversación',
  'Mensajes anteriores',
  'Enviando',
  'Aún no enviado',
  'Enviado',
  'Leído',
  'Reintentar',
  'Descartar',
  'Mensajes nuevos: {0}',
  'Terminar',
  '¿Terminar de verdad?',
  'Su correo, para poder contactarle',
  'Correo electrónico: {0}',
  'Ahora no hay nadie. Inténtelo más tarde.',
  'No hay nadie hasta {0}.',
  'Hay demasiada gente esperando. Inténtelo más tarde.',
  'Es demasiado largo.',
  'No se ha aceptado.',
];

const ar = [
  'تحدث معنا',
  'إغلاق',
  'مرحبًا! كيف يمكننا مساعدتك؟',
  'الاسم',
  'البريد الإلكتروني',
  'اكتب رسالة',
  'إرسال',
  'أنت في قائمة الانتظار',
  'أنت في قائمة الانتظار، الترتيب {0}',
  'عادةً {0}، ونادرًا أكثر من {1}',
  'لا يوجد أحد حتى {0}. ما تكتبه الآن نجيب عنه حينها.',
  'أنت تتحدث مع {0}',
  '{0} يعيد الاتصال. ما تكتبه محفوظ.',
  '{0} يكتب الآن',
  'انضم {0}',
  'غادر {0}',
  'أنت في قائمة الانتظار مجددًا',
  'أنت في قائمة الانتظار لدى {0}',
  'انتهت المحادثة',
  'لا اتصال بعد. هذا آخر ما هو معروف.',
  'انتهت هذه المحادثة هنا.',
  'محادثة جديدة',
  'رسائل سابقة',
  'جارٍ الإرسال',
  'لم تُرسل بعد',
  'أُرسلت',
  'قُرئت',
  'إعادة المحاولة',
  'حذف',
  'رسائل جديدة: {0}',
  'إنهاء',
  'هل تريد الإنهاء؟',
  'بريدك الإلكتروني لنتواصل معك',
  'البريد الإلكتروني: {0}',
  'لا يوجد أحد الآن. حاول لاحقًا.',
  'لا يوجد أحد حتى {0}.',
  'عدد المنتظرين كبير. حاول لاحقًا.',
  'هذا أطول مما ينبغي.',
  'لم يُقبل هذا.',
];

/** @typedef {typeof en} Words */

/** The others say the same in the same order. @type {Record<string, string[]>} */
export const LANGUAGES = { en: Object.values(en), de, es, ar };

/**
 * The first of these languages that is spoken here, or English.
 * @param {readonly string[]} wanted BCP 47: `de-AT`.
 * @returns {{ language: string, words: Words, dir: 'ltr' | 'rtl' }} `language` as it was wanted, for times and numbers.
 */
export function speak(wanted) {
  const base = (/** @type {string} */ language) => language.toLowerCase().split('-')[0] ?? '';
  const language = wanted.find((one) => Object.hasOwn(LANGUAGES, base(one)) && isTag(one)) ?? 'en';
  const said = LANGUAGES[base(language)] ?? [];
  const words = /** @type {Words} */ (Object.fromEntries(Object.keys(en).map((key, at) => [key, said[at]])));
  return { language, words, dir: said === ar ? 'rtl' : 'ltr' };
}

/** What is none, `Intl` throws at. @param {string} language */
function isTag(language) {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
}

/**
 * @param {string} words
 * @param {...(string | number)} values Of anybody: isolated, so that none turns the rest of the sentence around.
 */
export function fill(words, ...values) {
  return words.replace(/\{(\d)\}/g, (_, at) => `\u2068${values[Number(at)] ?? ''}\u2069`);
}
