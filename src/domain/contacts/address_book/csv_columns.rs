//! Columns of CSV files of contacts: what each column is for, by its name in the address books and spreadsheets of several
//! languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::csv::{Record, normalize_name};
use super::encoding::undecodable;
use crate::error::{Error, Violation};

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Uid,
    FirstName,
    MiddleName,
    LastName,
    FullName,
    Organization,
    /// An e-mail address, with the label that the name of the column gives.
    Email(&'static str),
    /// The labels of the e-mail addresses in another column.
    EmailLabel,
    /// A telephone number, with the label that the name of the column gives.
    PhoneNumber(&'static str),
    /// The labels of the telephone numbers in another column.
    PhoneNumberLabel,
    BirthYear,
    BirthMonth,
    BirthDay,
    BirthDate,
    Note,
    Unused,
}

/// Names of columns, as [`normalize_name`] writes them: English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish,
/// Polish, Russian, Japanese and Chinese, of Google, Outlook, Thunderbird, Apple and spreadsheets.
const NAMES: &[(Column, &str)] = &[
    (Column::Uid, "uid unique_id"),
    (
        Column::FirstName,
        "first_name given_name firstname givenname forename christian_name vorname rufname prénom prenom nombre \
         nombre_de_pila primer_nombre nome primeiro_nome nome_próprio voornaam roepnaam förnamn fornamn fornavn etunimi imię \
         imie имя 名 名前_名 名字",
    ),
    (
        Column::MiddleName,
        "middle_name additional_name middle_names weitere_vornamen zweiter_vorname deuxième_prénom segundo_nombre \
         secondo_nome nome_do_meio tweede_naam mellannamn drugie_imię отчество ミドル_ネーム 中间名",
    ),
    (
        Column::LastName,
        "last_name family_name surname lastname familyname nachname familienname zuname nom nom_de_famille apellido apellidos \
         cognome sobrenome apelido último_nome achternaam efternamn etternavn sukunimi nazwisko фамилия 姓 名前_姓 姓氏",
    ),
    (
        Column::FullName,
        "name full_name fullname display_name contact_name file_as anzeigename vollständiger_name nom_complet nom_affiché \
         nombre_completo nombre_mostrado nome_completo nome_visualizzato nome_de_exibição volledige_naam naam weergavenaam \
         namn fullständigt_namn visningsnamn imię_i_nazwisko фио полное_имя 氏名 表示名 姓名 显示名称",
    ),
    (
        Column::Organization,
        "organization organisation company organization_name organization_1_name company_name firma unternehmen société \
         societe entreprise organización empresa organizzazione azienda società organização bedrijf organisatie företag \
         organizacja организация компания 会社 会社名 公司 单位",
    ),
    (
        Column::Email(""),
        "email e_mail mail email_address e_mail_address mail_address primary_email e_mail_1_value email_1_value email_1 \
         e_mail_2_address email_2_address e_mail_3_address email_3_address secondary_email additional_email e_mail_2_value \
         e_mail_3_value e_mail_4_value e_mail_5_value email_2 email_3 emailadresse e_mail_adresse mailadresse \
         e_mail_2_adresse e_mail_3_adresse primäre_e_mail_adresse sekundäre_e_mail_adresse adresse_e_mail \
         adresse_de_messagerie adresse_email courriel mél adresse_électronique adresse_électronique_principale \
         adresse_électronique_secondaire correo correo_electrónico correo_electronico dirección_de_correo_electrónico \
         correo_electrónico_principal posta_elettronica indirizzo_e_mail indirizzo_di_posta_elettronica \
         endereço_de_email endereço_de_correio_eletrónico e_mailadres emailadres e_postadress e_post epost adres_e_mail \
         эл_почта электронная_почта адрес_электронной_почты メール メールアドレス 電子メール 電子メール_アドレス 邮箱 电子邮件 \
         电子邮件地址 電子郵件",
    ),
    (Column::Email("home"), "home_email personal_email private_email e_mail_privat e_mail_home"),
    (Column::Email("work"), "work_email business_email e_mail_geschäftlich e_mail_work"),
    (
        Column::EmailLabel,
        "email_label e_mail_1_label e_mail_2_label e_mail_3_label e_mail_4_label e_mail_5_label e_mail_1_type e_mail_2_type \
         e_mail_3_type e_mail_4_type e_mail_5_type",
    ),
    (
        Column::PhoneNumber(""),
        "phone_number phone telephone telephone_number tel primary_phone phone_1 phone_2 phone_3 phone_1_value \
         phone_2_value phone_3_value phone_4_value phone_5_value telefon telefonnummer rufnummer téléphone \
         telephone_1 numéro_de_téléphone teléfono telefono número_de_teléfono numero_di_telefono telefone telefoonnummer \
         telefoon numer_telefonu телефон номер_телефона 電話 電話番号 电话 电话号码 電話號碼",
    ),
    (
        Column::PhoneNumber("mobile"),
        "mobile_phone mobile mobile_number cell cell_phone cellphone handy handynummer mobil mobiltelefon mobilnummer \
         mobil_tel_nr portable téléphone_mobile tél_mobile téléphone_portable móvil movil teléfono_móvil celular cellulare \
         telefono_cellulare telemóvel mobiel mobiele_telefoon mobiltelefon_1 komórka telefon_komórkowy мобильный \
         мобильный_телефон 携帯 携帯電話 手机 手机号码 移动电话",
    ),
    (
        Column::PhoneNumber("home"),
        "home_phone home_phone_2 private_phone telefon_privat telefon_privat_2 tel_privat téléphone_domicile \
         tél_personnel particular teléfono_particular abitazione telefono_abitazione telefone_residencial telefoon_thuis \
         hemtelefon telefon_domowy домашний_телефон 自宅電話 住宅电话",
    ),
    (
        Column::PhoneNumber("work"),
        "work_phone business_phone business_phone_2 company_main_phone telefon_geschäftlich telefon_geschäftlich_2 \
         telefon_firma tel_dienstlich téléphone_bureau tél_professionnel teléfono_del_trabajo ufficio telefono_ufficio \
         telefone_comercial telefoon_op_werk arbetstelefon telefon_służbowy рабочий_телефон 会社電話 商务电话",
    ),
    (Column::PhoneNumber("other"), "other_phone weiteres_telefon autre_téléphone otro_teléfono"),
    (
        Column::PhoneNumberLabel,
        "phone_number_label phone_1_label phone_2_label phone_3_label phone_4_label phone_5_label phone_1_type phone_2_type \
         phone_3_type phone_4_type phone_5_type",
    ),
    (Column::BirthYear, "birth_year geburtsjahr année_de_naissance año_de_nacimiento anno_di_nascita"),
    (Column::BirthMonth, "birth_month geburtsmonat mois_de_naissance mes_de_nacimiento mese_di_nascita"),
    (Column::BirthDay, "birth_day jour_de_naissance día_de_nacimiento giorno_di_nascita"),
    (
        Column::BirthDate,
        "birth_date birthday birthdate date_of_birth dob bday geburtstag geburtsdatum anniversaire date_de_naissance \
         cumpleaños fecha_de_nacimiento compleanno data_di_nascita aniversário data_de_nascimento verjaardag geboortedatum \
         födelsedag födelsedatum urodziny data_urodzenia день_рождения дата_рождения 誕生日 生年月日 生日 出生日期",
    ),
    (
        Column::Note,
        "note notes comment comments remarks notiz notizen bemerkung bemerkungen kommentar anmerkung anmerkungen remarque \
         remarques commentaires nota notas comentarios observaciones commenti observações opmerking opmerkingen notitie \
         notities anteckningar notatki uwagi заметки примечание メモ 備考 备注 備註",
    ),
];

static COLUMNS: LazyLock<HashMap<&str, Column>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(column, names)| names.split_whitespace().map(|name| (name, *column))).collect()
});

/// The columns of a file, in their order.
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Of each column, that of its labels.
    labels: Vec<Option<usize>>,
    /// The names as they are in the file.
    names: Vec<String>,
    /// What a full name may be that is called `Name`: the last name beside a first name, or the first beside a last name.
    pub missing_part: Option<Column>,
}

impl Columns {
    /// Finds out what the columns of a header line are for.
    ///
    /// # Errors
    /// A violation if there is no column with a name.
    pub fn parse(record: &Record) -> Result<Self, Error> {
        record.check().map_err(Error::from)?;
        let name = |column: usize| std::str::from_utf8(record.field(column)).map(|name| name.trim().to_owned());
        let names: Vec<String> = (0..record.len()).map(name).collect::<Result<_, _>>().map_err(|_| undecodable())?;
        let known = |name: &String| COLUMNS.get(normalize_name(name.as_bytes()).as_str()).copied();
        let mut columns: Vec<Column> = names.iter().map(|name| known(name).unwrap_or(Column::Unused)).collect();
        // `nom` and `nome` are the last name beside a first name, and otherwise the whole name.
        let has = |columns: &[Column], column: Column| columns.contains(&column);
        let is_name = |column: Column| matches!(column, Column::FirstName | Column::LastName);
        if has(&columns, Column::FirstName) != has(&columns, Column::LastName) && !has(&columns, Column::FullName) {
            let is_whole =
                |name: &String| matches!(normalize_name(name.as_bytes()).as_str(), "nom" | "nome" | "nombre");
            for (column, name) in columns.iter_mut().zip(&names) {
                if is_name(*column) && is_whole(name) {
                    *column = Column::FullName;
                }
            }
        }
        let missing_part = match (has(&columns, Column::FirstName), has(&columns, Column::LastName)) {
            (true, false) => Some(Column::LastName),
            (false, true) => Some(Column::FirstName),
            _ => None,
        };
        let is_short = |name: &String| matches!(normalize_name(name.as_bytes()).as_str(), "name" | "naam" | "namn");
        let missing_part = missing_part.filter(|_| names.iter().any(is_short));
        // Thunderbird in German: the day, beside columns of the year and the month.
        if has(&columns, Column::BirthMonth) && !has(&columns, Column::BirthDay) {
            columns
                .iter_mut()
                .filter(|column| **column == Column::BirthDate)
                .for_each(|column| *column = Column::BirthDay);
        }
        if columns.iter().any(|column| is_name(*column) || matches!(column, Column::FullName | Column::Organization)) {
            return Ok(Self { labels: labels(&columns, &names), columns, names, missing_part });
        }
        let message = "the file has no column with a name, such as first_name, last_name, name or organization";
        Err(Violation::new("first_name", "column", message).into())
    }

    /// The columns with their indexes.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Column)> + '_ {
        self.columns.iter().copied().enumerate()
    }

    /// The column with the labels of the values in another.
    pub fn label_of(&self, index: usize) -> Option<usize> {
        self.labels.get(index).copied().flatten()
    }

    /// Name of a column; empty beyond the header.
    pub fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }
}

/// Of each column, that of its labels: `E-mail 1 - Label` of `E-mail 1 - Value`, and `email_label` of `email`.
fn labels(columns: &[Column], names: &[String]) -> Vec<Option<usize>> {
    let stem = |name: &String| {
        let name = normalize_name(name.as_bytes());
        let stem = ["_label", "_type", "_value"].iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned);
        stem.unwrap_or(name)
    };
    let is_label = |column: Column| matches!(column, Column::EmailLabel | Column::PhoneNumberLabel);
    let of = |name: &String| {
        let stems = columns.iter().zip(names).map(|(column, other)| is_label(*column) && stem(other) == stem(name));
        stems.enumerate().find_map(|(index, is_its)| is_its.then_some(index))
    };
    let with_labels = |column: Column| matches!(column, Column::Email(_) | Column::PhoneNumber(_));
    columns.iter().zip(names).map(|(column, name)| with_labels(*column).then(|| of(name)).flatten()).collect()
}

/// Whether a first line looks like that of a file of contacts: at least one column is known.
pub(super) fn is_header(record: &Record) -> bool {
    let is_known = |column| COLUMNS.contains_key(normalize_name(record.field(column)).as_str());
    record.check().is_ok() && (0..record.len()).any(is_known)
}
